package ipxe

import (
	"fmt"
	"net/url"
	"strings"
)

// maxValue is the longest value that may stand in a script, in bytes.
const maxValue = 1024

// The rules of iPXE's command line parser that make a value dangerous, all read in its sources: a line ends at a newline,
// unless a backslash stands before it; words end at white space, before anything is expanded; ${ starts an expansion,
// which is repeated until none is left; a word that begins with # comments out the rest of the line; the words && || ;
// end a command. There is no quoting and no escape. Linux, in turn, joins the words between two double quotes of its
// command line into one argument. So a value is proven to be one plain word, or refused; nothing is ever rewritten.

// checkWord returns "" when value may stand in a script as one word or as part of one, else what is wrong with it.
func checkWord(value string) string {
	if len(value) > maxValue {
		return fmt.Sprintf("it is %d bytes long, at most %d may stand in a script: shorten it", len(value), maxValue)
	}
	for i := range len(value) {
		switch c := value[i]; {
		case c == ' ':
			return "it holds a space, which would start another argument: remove it"
		case c < 0x20 || c == 0x7f:
			return "it holds a line break or another control character: remove it"
		case c > 0x7f:
			return "it holds a character that is not ASCII: write plain ASCII"
		case c == '\\' || c == '"':
			return fmt.Sprintf("it holds %q, which has a meaning of its own in scripts and kernel arguments: remove it", c)
		}
	}
	switch {
	case strings.Contains(value, "${") || strings.HasSuffix(value, "$"):
		return "it holds the beginning of an iPXE expansion (${ or a last $): write the value itself"
	case strings.HasPrefix(value, "#"):
		return "it begins with #, which iPXE takes for a comment: remove it"
	case value == "&&" || value == "||" || value == ";":
		return "it is an operator of iPXE's command line: remove it"
	}
	return ""
}

// checkURL returns "" when value is an absolute URL that iPXE can fetch and that may stand in a script. A base has
// file names put after it and so carries no query and no fragment.
func checkURL(value string, base bool) string {
	if problem := checkWord(value); problem != "" {
		return problem
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "":
		return "it is not an absolute URL: write one like http://192.168.2.112:8080/hook"
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tftp":
		return "iPXE cannot fetch from it: write an http, https or tftp URL"
	case base && (u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(value, "#")):
		return "file names are put after it: write it without ? and #"
	}
	return ""
}

// checkFile returns "" when value is a file name or relative path that may be put after a base URL in a script.
func checkFile(value string) string {
	if problem := checkWord(value); problem != "" {
		return problem
	}
	if strings.HasPrefix(value, "/") || strings.Contains(value, "://") {
		return "it is put after osie.baseURL: write a file name or relative path"
	}
	return ""
}
