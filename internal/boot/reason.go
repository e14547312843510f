package boot

// Reason is the one CamelCase word in which every packet ends: the same in the log line, the metric's label, the
// journal and the tests.
type Reason string

// The reasons of a decision.
const (
	// ReasonScript: iPXE with our user class is given the script.
	ReasonScript Reason = "Script"
	// ReasonScriptOverride: iPXE is given the URL that the Hardware names instead of the script.
	ReasonScriptOverride Reason = "ScriptOverride"
	// ReasonStockIPXEScript: iPXE without our user class, able to fetch by HTTP, is given the script.
	ReasonStockIPXEScript Reason = "StockIPXEScript"
	// ReasonStockIPXEBinary: iPXE too old or unable to fetch by HTTP is given a newer binary.
	ReasonStockIPXEBinary Reason = "StockIPXEBinary"
	// ReasonHTTPBinary: UEFI HTTP boot is given the URL of its binary.
	ReasonHTTPBinary Reason = "HTTPBinary"
	// ReasonFirmwareBinary: PXE firmware is given the name of its binary.
	ReasonFirmwareBinary Reason = "FirmwareBinary"
	// ReasonBootFileOverride: the Hardware's own tftp_server_name and boot_file_name.
	ReasonBootFileOverride Reason = "BootFileOverride"
	// ReasonAutoBinary and ReasonAutoScript: a machine without a reservation is given iPXE, and then the script for such
	// machines.
	ReasonAutoBinary Reason = "AutoBinary"
	ReasonAutoScript Reason = "AutoScript"

	// ReasonNotReserved: no reservation for this MAC, or for the address that asks.
	ReasonNotReserved Reason = "NotReserved"
	// ReasonNotNetbootClient: an operating system's DHCP client; the address, where this server gives any, and nothing to boot.
	ReasonNotNetbootClient Reason = "NotNetbootClient"
	// ReasonNetbootNotAllowed: allowPXE is not true; the address, where this server gives any, and nothing to boot.
	ReasonNetbootNotAllowed Reason = "NetbootNotAllowed"
	// ReasonNetbootWithheld: the Hardware names something to boot that is not valid; its Events say what.
	ReasonNetbootWithheld Reason = "NetbootWithheld"
	// ReasonArchUnsupported: there is no binary for this client architecture.
	ReasonArchUnsupported Reason = "ArchUnsupported"
	// ReasonBinaryNotServed: the Hardware names a binary that this stack does not have.
	ReasonBinaryNotServed Reason = "BinaryNotServed"
	// ReasonTFTPNotServed and ReasonHTTPNotServed: the client needs a protocol that this stack does not serve.
	ReasonTFTPNotServed Reason = "TFTPNotServed"
	ReasonHTTPNotServed Reason = "HTTPNotServed"
)
