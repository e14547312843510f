package hardwarecsv

import (
	"strings"
)

// The columns of hardware.csv.
const (
	columnHostname    = "hostname"
	columnMAC         = "mac"
	columnAddress     = "ip_address"
	columnNetmask     = "netmask"
	columnGateway     = "gateway"
	columnNameServers = "nameservers"
	columnDisk        = "disk"
	columnLabels      = "labels"
	columnBMCAddress  = "bmc_ip"
	columnBMCUsername = "bmc_username"
	columnBMCPassword = "bmc_password"
	columnVLAN        = "vlan_id"
)

func required() []string {
	return []string{
		columnHostname, columnMAC, columnAddress, columnNetmask, columnGateway, columnNameServers, columnDisk, columnLabels,
	}
}

func optional() []string {
	return []string{columnBMCAddress, columnBMCUsername, columnBMCPassword, columnVLAN}
}

// header finds the columns. Names of columns that it does not know are ignored and never shown: in a file without a header
// they are the values of the first machine.
func header(line int, record []string) (columns map[string]int, problems []Problem) {
	columns = map[string]int{}
	known := append(required(), optional()...)
	for i, cell := range record {
		name := trim(cell)
		for _, k := range known {
			if name != k {
				continue
			}
			if _, twice := columns[k]; twice {
				problems = append(problems, Problem{line, wholeHead, "has the column " + k + " twice: remove one"})
			}
			columns[k] = i
		}
	}
	if missing := missingColumns(columns); len(missing) > 0 {
		problems = append(problems, Problem{line, wholeHead,
			"lacks " + plural(len(missing), "column ", "columns ") + strings.Join(missing, ", ") + hint(record, missing)})
	}
	return columns, problems
}

func missingColumns(columns map[string]int) []string {
	var missing []string
	for _, name := range required() {
		if _, ok := columns[name]; !ok {
			missing = append(missing, name)
		}
	}
	return missing
}

// hint says what the likely reason for missing columns is.
func hint(record, missing []string) string {
	for _, separator := range []struct{ char, name string }{{";", "semicolons"}, {"\t", "tabs"}} {
		if len(record) == 1 && strings.Contains(record[0], separator.char) {
			return ": the file is separated by " + separator.name + ", save it with commas"
		}
	}
	for _, cell := range record {
		for _, name := range missing {
			if strings.EqualFold(trim(cell), name) {
				return ": write the names in lower case"
			}
		}
	}
	return ": add what is missing, also where it stays empty"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
