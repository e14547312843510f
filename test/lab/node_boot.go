package lab

// hiddenFolders are those in whose place a node has its own.
var hiddenFolders = []string{"/run", "/var/run", "/var/lib", "/var/log"}

// bootScript is what the first process of a node does, as a shell script with the arguments NAME FOLDER PAUSE, in new PID,
// mount and UTS namespaces. It prints its process ID as the lab sees it and the boot ID, and becomes PAUSE. The node has a
// /run that is empty at boot, a /var/lib and /var/log on its disk, which is FOLDER, and copies of the sysctls that a kubelet
// sets for the whole host: there the host's stay as they are.
const bootScript = `
read -r pid rest </proc/self/stat # still the lab's /proc
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$2/lib" /var/lib
mount --bind "$2/log" /var/log
echo "$1" >/proc/sys/kernel/hostname
mkdir /run/lock /run/sysctl
own() {
  mount --bind "/run/sysctl/$1" "/proc/sys/$2"
}
read -r boot </proc/sys/kernel/random/uuid
echo "$boot" >/run/sysctl/boot_id
own boot_id kernel/random/boot_id
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  [ -e "/proc/sys/$name" ] || continue
  cat "/proc/sys/$name" >"/run/sysctl/${name##*/}"
  own "${name##*/}" "$name"
done
echo "booted $pid $boot"
exec "$3"
`
