package rows

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// Client architectures (RFC 4578 section 2.1 and IANA's registry).
const (
	archBIOS    = 0
	archX64     = 7
	archX64Also = 9
	archHTTPX64 = 16
)

// machineID is an option 97 of type 0 (RFC 4578 section 2.3).
func machineID() []byte { return append([]byte{0}, "conformance-uuid"...) }

// firmware says what PXE firmware of that architecture says.
func firmware(class string, arch uint16) change {
	return func(m *wire.Message) {
		asking(1, 3, 6, 12, 15, 28, 42, 43, 60, 66, 67, 97, 121, 128, 129, 130)(m)
		text(optVendorClass, fmt.Sprintf("%s:Arch:%05d:UNDI:003016", class, arch))(m)
		option(optArch, binary.BigEndian.AppendUint16(nil, arch)...)(m)
		option(optInterface, 1, 3, 16)(m)
		option(optMachineID, machineID()...)(m)
		option(optMaxSize, 0x05, 0xc0)(m)
	}
}

// bootFile is what an answer gives to boot: option 67, else the file field.
func bootFile(m *wire.Message) string {
	if value, found := m.Get(optBootFile); found {
		return string(bytes.TrimRight(value, "\x00"))
	}
	if overload, _ := m.Get(optOverload); len(overload) == 1 && overload[0]&1 != 0 {
		return ""
	}
	return wire.Text(m.File[:])
}

// booted judges what PXE firmware on UEFI x86-64 is offered, provided that it is offered something to boot.
func booted(judge func(m *wire.Message) Verdict, changes ...change) func(*Client) Verdict {
	return discovered(func(_ *wire.Message, h wire.Heard) Verdict {
		if bootFile(h.Message) == "" {
			return notApplicable("nothing to boot is given")
		}
		return judge(h.Message)
	}, append([]change{firmware("PXEClient", archX64)}, changes...)...)
}

// archRows are about option 93 of PXE firmware (RFC 4578 section 2.1).
func archRows() []Row {
	offered := func(_ *wire.Message, h wire.Heard) Verdict { return passed("%s", describe(h)) }
	return []Row{
		{"4578-2.1-bios", "RFC 4578 2.1", Must, "PXE firmware on BIOS (93 is 0) is answered.", discovered(offered, firmware("PXEClient", archBIOS))},
		{"4578-2.1-uefi", "RFC 4578 2.1", Must, "PXE firmware on UEFI x86-64 (93 is 7) is answered.", discovered(offered, firmware("PXEClient", archX64))},
		{"4578-2.1-list", "RFC 4578 2.1", May, "Of a list in option 93 the first that the server knows counts.", func(c *Client) Verdict {
			return c.sameFile(firmware("PXEClient", archX64), func(m *wire.Message) {
				firmware("PXEClient", archX64)(m)
				without(optArch)(m)
				option(optArch, 0xff, 0xf0, 0, archX64)(m)
			})
		}},
		{"4578-2.1-differ", "RFC 4578 2.1", Should, "BIOS and UEFI are given different boot files.", func(c *Client) Verdict {
			bios, uefi := c.fileFor(firmware("PXEClient", archBIOS)), c.fileFor(firmware("PXEClient", archX64))
			if bios == "" || uefi == "" {
				return notApplicable("nothing to boot is given")
			}
			return judged(bios != uefi, "%s and %s", bios, uefi)
		}},
		{"4578-2.1-9", "RFC 4578 errata", Should, "93 of 9 is what 7 is: x86-64, for firmware that goes by the RFC's list.", func(c *Client) Verdict {
			return c.sameFile(firmware("PXEClient", archX64), firmware("PXEClient", archX64Also))
		}},
		{"4578-2.1-odd", "RFC 4578 2.1", Must, "Option 93 of an odd length is not believed, and the client is answered.",
			discovered(offered, firmware("PXEClient", archX64), without(optArch), option(optArch, 0, 7, 0))},
	}
}

// pxeRows are about what PXE firmware is told (RFC 4578, PXE 2.1 section 2.2).
func pxeRows() []Row {
	return []Row{
		{"4578-2.3-echo", "RFC 4578 2.3", Must, "Option 97 comes back to PXE firmware.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optMachineID)
				return judged(bytes.Equal(value, machineID()), "option 97 %x", value)
			}, firmware("PXEClient", archX64))},
		{"4578-2.1-server", "RFC 4578 2.1", Must, "Option 93 is in what a PXE server sends, too.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Has(optArch), "options %v", h.Message.Codes())
			}, firmware("PXEClient", archX64))},
		{"4578-2.2-server", "RFC 4578 2.2", Must, "Option 94 is in what a PXE server sends, too.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(h.Message.Has(optInterface), "options %v", h.Message.Codes())
			}, firmware("PXEClient", archX64))},
		{"4578-2.3-none", "RFC 4578 2.3", Must, "Option 97 does not go to a client that sent none.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(!h.Message.Has(optMachineID), "options %v", h.Message.Codes())
			}, asking(1, 3, optMachineID))},
		{"pxe-2.2-file", "PXE 2.1 2.4", Must, "Who gives a boot file also names the server that has it, in siaddr or option 66.",
			booted(func(m *wire.Message) Verdict {
				return judged(m.SIAddr.IsValid() || m.Has(optTFTPServer), "siaddr %s, file %s", addr(m.SIAddr), bootFile(m))
			})},
		{"2132-9.5-67", "RFC 2132 9.5", May, "A client that asks for option 67 finds the boot file's name there.",
			booted(func(m *wire.Message) Verdict {
				value, _ := m.Get(optBootFile)
				return judged(len(value) > 0, "option 67 %q", value)
			})},
		{"2132-9.5-same", "RFC 2132 9.5", Must, "Option 67 and the file field agree where both are given.",
			booted(func(m *wire.Message) Verdict {
				field := wire.Text(m.File[:])
				return judged(field == "" || m.Has(optOverload) || field == bootFile(m), "file %q, boot file %q", field, bootFile(m))
			})},
		{"2131-2-file", "RFC 2131 2", Must, "A client that does not ask for option 67 finds the boot file in the file field.",
			booted(func(m *wire.Message) Verdict {
				return judged(wire.Text(m.File[:]) != "", "file %q", wire.Text(m.File[:]))
			}, asking(1, 3))},
		{"pxe-2.2-ack", "PXE 2.1 2.2", Must, "The ACK says to boot what the OFFER said.", func(c *Client) Verdict {
			file := c.fileFor(firmware("PXEClient", archX64))
			if file == "" {
				return notApplicable("nothing to boot is given")
			}
			return selected(func(_ *wire.Message, h wire.Heard) Verdict {
				return judged(bootFile(h.Message) == file, "%s, then %s", file, bootFile(h.Message))
			}, firmware("PXEClient", archX64))(c)
		}},
	}
}

// fileFor is the boot file that the main machine is offered.
func (c *Client) fileFor(changes ...change) string {
	h, ok := c.broadcast(message(typeDiscover, c.main().MAC, changes...))
	if !ok {
		return ""
	}
	return bootFile(h.Message)
}

// sameFile judges that two clients are given the same boot file.
func (c *Client) sameFile(one, other change) Verdict {
	first, second := c.fileFor(one), c.fileFor(other)
	if first == "" {
		return notApplicable("nothing to boot is given")
	}
	return judged(first == second, "%s and %s", first, second)
}

// vendorRows are about options 60 and 43 (PXE 2.1 section 2.2.3 and table 2-1).
func vendorRows() []Row {
	return []Row{
		{"pxe-2.2-60-plain", "PXE 2.1 2.2", Must, "An operating system, which is no PXE client, is sent no option 60 that says PXEClient.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optVendorClass)
				return judged(!bytes.HasPrefix(value, []byte("PXEClient")), "option 60 %q", value)
			})},
		{"pxe-2.2-60-43", "PXE 2.1 2.2.3", Must, "Option 60 PXEClient comes with option 43, which says how to discover boot servers: EDK2 else asks port 4011 and waits.",
			discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optVendorClass)
				return judged(!bytes.HasPrefix(value, []byte("PXEClient")) || h.Message.Has(optVendorInfo), "option 60 %q, options %v", value, h.Message.Codes())
			}, firmware("PXEClient", archX64))},
		{"pxe-2.2-43-form", "PXE 2.1 2.2", Must, "Option 43 to PXE firmware is a list of sub-options that ends in 255.", func(c *Client) Verdict { return c.menu(menuForm) }},
		{"pxe-2.2-43-discovery", "PXE 2.1 table 2-1", Must, "Option 60 PXEClient with option 43: it has sub-option 6, or the boot servers or the menu (8, 9) that 6 is about.",
			func(c *Client) Verdict { return c.menu(menuDiscovery) }},
		{"pxe-2.2-4011", "PXE 2.1 2.2.5", Must, "Whoever is sent to port 4011, by PXEClient without a boot file or server, is answered there.", bootServer},
	}
}

// menu judges option 43 of what some known machine is offered as PXE firmware.
func (c *Client) menu(judge func(m *wire.Message, value []byte) Verdict) Verdict {
	for _, machine := range c.near {
		h, ok := c.broadcast(message(typeDiscover, machine.MAC, firmware("PXEClient", archBIOS)))
		if !ok {
			continue
		}
		if value, found := h.Message.Get(optVendorInfo); found {
			return judge(h.Message, value)
		}
	}
	return notApplicable("no known machine is given option 43")
}

// subOptions reads option 43; ended says that 255 is its last byte.
func subOptions(b []byte) (codes []byte, ended, whole bool) {
	for len(b) > 0 {
		switch {
		case b[0] == 255:
			return codes, len(b) == 1, true
		case b[0] == 0:
			b = b[1:]
			continue
		case len(b) < 2 || len(b) < 2+int(b[1]):
			return codes, false, false
		}
		codes = append(codes, b[0])
		b = b[2+int(b[1]):]
	}
	return codes, false, true
}

func menuForm(_ *wire.Message, value []byte) Verdict {
	codes, ended, whole := subOptions(value)
	return judged(whole && ended, "sub-options %v, ended by 255: %t", codes, ended)
}

func menuDiscovery(m *wire.Message, value []byte) Verdict {
	class, _ := m.Get(optVendorClass)
	codes, _, _ := subOptions(value)
	if !bytes.HasPrefix(class, []byte("PXEClient")) {
		return notApplicable("option 43 goes without option 60")
	}
	says := slices.ContainsFunc(codes, func(code byte) bool { return code == 6 || code == 8 || code == 9 })
	return judged(says, "option 60 %q, sub-options %v", class, codes)
}

// bootServer asks port 4011 when the offer of the main machine sends firmware there.
func bootServer(c *Client) Verdict {
	h, ok := c.broadcast(message(typeDiscover, c.main().MAC, firmware("PXEClient", archX64)))
	if !ok {
		return unanswered("no OFFER")
	}
	class, _ := h.Message.Get(optVendorClass)
	if !bytes.HasPrefix(class, []byte("PXEClient")) || bootFile(h.Message) != "" && h.Message.Has(optVendorInfo) {
		return passed("nobody is sent to port 4011")
	}
	m := c.main()
	q := message(typeRequest, m.MAC, firmware("PXEClient", archX64), using(m.Addr), unflagged)
	h, ok = c.ask(q, route{from: m.Addr, unicast: true, wantPort: 4011})
	return answered(h, ok, typeAck, func(h wire.Heard) Verdict { return passed("%s, boot file %s", describe(h), bootFile(h.Message)) })
}
