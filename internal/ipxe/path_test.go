package ipxe

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestResolve(t *testing.T) {
	none := reservation.MAC{}
	for path, want := range map[string]Target{
		// Scripts.
		"/auto.ipxe":                               {KindScript, none, "auto.ipxe"},
		"/52:54:00:12:34:56/auto.ipxe":             {KindScript, machineMAC, "auto.ipxe"},
		"/ipxe/script/auto.ipxe":                   {KindScript, none, "auto.ipxe"},
		"/ipxe/script/52:54:00:12:34:56/auto.ipxe": {KindScript, machineMAC, "auto.ipxe"},
		"/52-54-00-12-34-56/auto.ipxe":             {KindScript, machineMAC, "auto.ipxe"},
		"/5254.0012.3456/auto.ipxe":                {KindScript, machineMAC, "auto.ipxe"},
		"/525400123456/auto.ipxe":                  {KindScript, machineMAC, "auto.ipxe"},
		"/52:54:00:12:34:5A/auto.ipxe":             {KindScript, reservation.MAC{0x52, 0x54, 0, 0x12, 0x34, 0x5a}, "auto.ipxe"},
		// autoexec.ipxe, beside every binary.
		"/autoexec.ipxe":                               {KindAutoexec, none, "autoexec.ipxe"},
		"/ipxe/autoexec.ipxe":                          {KindAutoexec, none, "autoexec.ipxe"},
		"/ipxe/binary/autoexec.ipxe":                   {KindAutoexec, none, "autoexec.ipxe"},
		"/52:54:00:12:34:56/autoexec.ipxe":             {KindAutoexec, machineMAC, "autoexec.ipxe"},
		"/ipxe/binary/52:54:00:12:34:56/autoexec.ipxe": {KindAutoexec, machineMAC, "autoexec.ipxe"},
		// Binaries.
		"/undionly.kpxe":                          {KindBinary, none, "undionly.kpxe"},
		"/ipxe/ipxe.efi":                          {KindBinary, none, "ipxe.efi"},
		"/ipxe/binary/ipxe.efi":                   {KindBinary, none, "ipxe.efi"},
		"/52:54:00:12:34:56/ipxe.efi":             {KindBinary, machineMAC, "ipxe.efi"},
		"/ipxe/52:54:00:12:34:56/ipxe.efi":        {KindBinary, machineMAC, "ipxe.efi"},
		"/ipxe/binary/52:54:00:12:34:56/ipxe.efi": {KindBinary, machineMAC, "ipxe.efi"},
		// Kernels and initrds.
		"/hook/vmlinuz-x86_64":                  {KindImage, none, "vmlinuz-x86_64"},
		"/hook/52:54:00:12:34:56/initramfs-x86": {KindImage, machineMAC, "initramfs-x86"},
		"/hook/auto.ipxe":                       {KindImage, none, "auto.ipxe"},
		"/hook/sub/vmlinuz-x86_64":              {KindNone, none, "vmlinuz-x86_64"},
		"/hook/../hook/vmlinuz-x86_64":          {KindNone, none, "vmlinuz-x86_64"},
		// As TFTP clients write them.
		"snp-arm64.efi":                 {KindBinary, none, "snp-arm64.efi"},
		"//snp-arm64.efi":               {KindBinary, none, "snp-arm64.efi"},
		`\ipxe\binary\ipxe.efi`:         {KindBinary, none, "ipxe.efi"},
		`525400123456\ipxe.efi`:         {KindBinary, machineMAC, "ipxe.efi"},
		"52:54:00:12:34:56/ipxe.efi":    {KindBinary, machineMAC, "ipxe.efi"},
		"/custom/start":                 {KindScript, none, "start"},
		"/custom/525400123456/start":    {KindScript, machineMAC, "start"},
		"/525400123456/custom/start":    {KindNone, none, "start"},
		"":                              {},
		"/":                             {},
		"/ipxe/binary/":                 {KindNone, none, "binary"},
		"/ipxe/binary/../ipxe.efi":      {KindNone, none, "ipxe.efi"},
		"/../ipxe.efi":                  {KindNone, none, "ipxe.efi"},
		"/./ipxe.efi":                   {KindNone, none, "ipxe.efi"},
		"/x/../custom/start":            {KindNone, none, "start"},
		"/other/ipxe.efi":               {KindNone, none, "ipxe.efi"},
		"/ipxe/script/ipxe.efi":         {KindNone, none, "ipxe.efi"},
		"/52:54:00:12:34/auto.ipxe":     {KindNone, none, "auto.ipxe"},
		"/52:54-00:12:34:56/auto.ipxe":  {KindNone, none, "auto.ipxe"},
		"/ipxe/binary/auto.ipxe":        {KindNone, none, "auto.ipxe"},
		"/etc/passwd":                   {KindNone, none, "passwd"},
		"/" + strings.Repeat("a/", 300): {},
	} {
		if got := Resolve(path, "/custom/start"); got != want {
			t.Errorf("Resolve(%q) = %+v, want %+v", path, got, want)
		}
	}
}

// TestResolveTellsOnlyMapKeys shows that whatever is asked, the file is one element, never a path.
func TestResolveTellsOnlyMapKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := Resolve(rapid.String().Draw(t, "path"), boot.DefaultScriptPath)
		if strings.ContainsAny(got.File, `/\`) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestResolveFindsEveryMACNotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := reservation.MAC(rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "mac"))
		bare := strings.ReplaceAll(m.String(), ":", "")
		notation := rapid.SampledFrom([]string{m.String(), m.Dashed(), bare, bare[:4] + "." + bare[4:8] + "." + bare[8:]}).Draw(t, "notation")
		if rapid.Bool().Draw(t, "upper case") {
			notation = strings.ToUpper(notation)
		}
		prefix := rapid.SampledFrom([]string{"/", "/ipxe/script/", "", "//"}).Draw(t, "prefix")
		if got := Resolve(prefix+notation+"/auto.ipxe", boot.DefaultScriptPath); got != (Target{KindScript, m, "auto.ipxe"}) {
			t.Fatalf("%s%s: %+v", prefix, notation, got)
		}
	})
}
