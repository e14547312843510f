package rows

// userClassRows are about option 77 (RFC 3004), by which iPXE says that it is there already.
func userClassRows() []Row {
	return []Row{
		{"3004-4-encoded", "RFC 3004 4", Must, "A user class with its length before it, as RFC 3004 writes it, selects that class's boot file.", func(c *Client) Verdict {
			return c.classed(text(optUserClass, lengthFirst(c.UserClass)))
		}},
		{"3004-4-list", "RFC 3004 4", Must, "Of several user classes each counts.", func(c *Client) Verdict {
			return c.classed(text(optUserClass, lengthFirst("other")+lengthFirst(c.UserClass)))
		}},
		{"3004-raw", "iPXE (against RFC 3004 4)", Should, "A user class without its length, as iPXE and every DHCP server's manual have it, selects it too.", func(c *Client) Verdict {
			return c.classed(text(optUserClass, c.UserClass))
		}},
		{"3004-other", "RFC 3004 4", Must, "A user class that merely begins like it does not.", func(c *Client) Verdict {
			plain := c.fileFor(firmware("PXEClient", archX64))
			longer := c.fileFor(firmware("PXEClient", archX64), text(optUserClass, c.UserClass+"-not"))
			if plain == "" {
				return notApplicable("nothing to boot is given")
			}
			return judged(plain == longer, "%s without, %s with user class %s-not", plain, longer, c.UserClass)
		}},
		{"3004-4-garbled", "RFC 3004 4", Must, "A user class whose length runs past its end does no harm: the client is answered.", func(c *Client) Verdict {
			file := c.fileFor(firmware("PXEClient", archX64), text(optUserClass, "\xc8abc"))
			if c.fileFor(firmware("PXEClient", archX64)) == "" {
				return notApplicable("nothing to boot is given")
			}
			return judged(file != "", "boot file %q", file)
		}},
	}
}

func lengthFirst(class string) string { return string([]byte{byte(len(class))}) + class }

// classed judges that a user class selects another boot file than none does.
func (c *Client) classed(with change) Verdict {
	plain := c.fileFor(firmware("PXEClient", archX64))
	raw := c.fileFor(firmware("PXEClient", archX64), text(optUserClass, c.UserClass))
	encoded := c.fileFor(firmware("PXEClient", archX64), text(optUserClass, lengthFirst(c.UserClass)))
	if raw == plain && encoded == plain {
		return notApplicable("user class %s has no boot file of its own", c.UserClass)
	}
	file := c.fileFor(firmware("PXEClient", archX64), with)
	return judged(file != plain && file != "", "%s without, %s with it", plain, file)
}
