package tink

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/reservation"
)

// netboot judges what an interface may boot. What the object's interfaces share is added by Convert.
func (c *check) netboot(i *v1alpha1.Interface) reservation.Netboot {
	var n reservation.Netboot
	n.TFTPServerName, n.BootFileName = c.bootFile(i.DHCP)
	if written := i.Netboot; written != nil {
		n.Allow = written.AllowPXE != nil && *written.AllowPXE
		if written.IPXE != nil {
			c.ipxe(written.IPXE, &n)
		}
		if written.OSIE != nil {
			n.OSIE = c.osie(written.OSIE)
		}
	}
	if c.bootsNothing {
		return reservation.Netboot{Withheld: true}
	}
	return n
}

// maxOption is the length of the longest string in one DHCP option, in bytes.
const maxOption = 255

func (c *check) bootFile(d *v1alpha1.DHCP) (server, file string) {
	if (d.TFTPServerName == "") != (d.BootFileName == "") {
		field, value, other := "dhcp.tftp_server_name", d.TFTPServerName, "boot_file_name"
		if value == "" {
			field, value, other = "dhcp.boot_file_name", d.BootFileName, "tftp_server_name"
		}
		c.withhold(ReasonInvalidBootFile, field, value, "stands without "+other+": write both or neither")
	}
	for _, part := range []struct{ field, value string }{
		{"dhcp.tftp_server_name", d.TFTPServerName}, {"dhcp.boot_file_name", d.BootFileName},
	} {
		if len(part.value) > maxOption || !isASCII(part.value) {
			c.withhold(ReasonInvalidBootFile, part.field, part.value,
				fmt.Sprintf("cannot be sent: write printable ASCII of at most %d characters", maxOption))
		}
	}
	return d.TFTPServerName, d.BootFileName
}

func (c *check) ipxe(written *v1alpha1.IPXE, n *reservation.Netboot) {
	if written.Binary != "" && !isFileName(written.Binary) {
		c.withhold(ReasonInvalidIPXEBinary, "netboot.ipxe.binary", written.Binary,
			fmt.Sprintf("is not a plain file name (letters, digits and . _ + - , at most %d): write one like ipxe.efi", maxFileName))
	}
	if complaint := urlComplaint(written.URL); written.URL != "" && complaint != "" {
		c.withhold(ReasonInvalidIPXEURL, "netboot.ipxe.url", withoutUser(written.URL),
			complaint+": write one like http://192.168.2.1/boot.ipxe")
	}
	if !isText(written.Contents) {
		c.withhold(ReasonInvalidIPXEContents, "netboot.ipxe.contents", "",
			"holds control characters or is not UTF-8: write text with line feeds and tabs only")
	}
	n.IPXEBinary, n.IPXEURL, n.IPXEContents = written.Binary, written.URL, written.Contents
}

// osie checks what ends up in a script and on the kernel's command line. How it is quoted there is the script's affair.
func (c *check) osie(written *v1alpha1.OSIE) reservation.OSIE {
	for _, part := range []struct{ name, value string }{
		{"baseURL", written.BaseURL}, {"kernel", written.Kernel}, {"initrd", written.Initrd},
	} {
		if !isPrintable(part.value) || strings.Contains(part.value, " ") {
			c.withhold(ReasonInvalidOSIE, "netboot.osie."+part.name, withoutUser(part.value),
				"holds spaces or characters that cannot be printed: write it without")
		}
	}
	for i, param := range written.KernelParams {
		if !isPrintable(param) {
			c.withhold(ReasonInvalidOSIE, fmt.Sprintf("netboot.osie.kernelParams[%d]", i), param,
				"holds characters that cannot be printed: write it without")
		}
	}
	return reservation.OSIE{
		BaseURL: written.BaseURL, Kernel: written.Kernel, Initrd: written.Initrd, KernelParams: slices.Clone(written.KernelParams),
	}
}

// maxWord bounds what goes as one word onto the kernel's command line, in bytes.
const maxWord = 128

// identity checks what the installer is told about the machine as a whole, one word each.
func (c *check) identity(spec *v1alpha1.HardwareSpec) (facility, agentID string) {
	const remedy = "is not one word of printable ASCII without quotes and ${, of at most 128 characters: correct it"
	if spec.Metadata != nil && spec.Metadata.Facility != nil {
		facility = spec.Metadata.Facility.FacilityCode
	}
	if len(facility) > maxWord || !isWord(facility) {
		c.withhold(ReasonInvalidFacility, "metadata.facility.facility_code", facility, remedy)
	}
	if len(spec.AgentID) > maxWord || !isWord(spec.AgentID) {
		c.withhold(ReasonInvalidAgentID, "agentID", spec.AgentID, remedy)
	}
	return facility, spec.AgentID
}

// urlComplaint says what is wrong with a URL that is sent as a boot file; "" when it is right.
func urlComplaint(s string) string {
	if len(s) > maxOption {
		return fmt.Sprintf("is longer than the %d characters that a boot file may have", maxOption)
	}
	if !isASCII(s) || strings.Contains(s, " ") || strings.Contains(s, "${") {
		return "holds spaces, ${ or characters other than printable ASCII"
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "tftp"}, u.Scheme) {
		return "is not an absolute http, https or tftp URL"
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && err != nil {
		return "names a port above 65535"
	}
	return ""
}

// withoutUser cuts the user and password out of a URL that is about to be shown, and with a URL too broken to tell
// rather too much than too little.
func withoutUser(s string) string {
	start, end := strings.Index(s, "//"), strings.LastIndex(s, "@")
	if start < 0 || end < start {
		return s
	}
	return s[:start] + "//..." + s[end:]
}
