package hardwarefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// document is one document of a file, as JSON, or what is wrong with it.
type document struct {
	line int // where it begins, or where it is wrong
	json []byte
	err  error
}

// yamlDocuments divides text at its document markers (YAML 1.2 section 9.1.2) and turns each document into JSON.
func yamlDocuments(text []byte) iter.Seq[document] {
	return func(yield func(document) bool) {
		var lines [][]byte
		start, number := 1, 0
		end := func(next int) bool {
			d, ok := yamlDocument(start, lines)
			lines, start = lines[:0], next
			return !ok || yield(d)
		}
		for line := range bytes.Lines(text) {
			number++
			more := true
			switch rest, marker := afterMarker(line, "---"); {
			case marker:
				more = end(number)
				lines = append(lines, rest)
			case isEnd(line):
				more = end(number + 1)
			default:
				lines = append(lines, line)
			}
			if !more {
				return
			}
		}
		end(number + 1)
	}
}

func isEnd(line []byte) bool {
	_, marker := afterMarker(line, "...")
	return marker
}

// afterMarker reports whether line begins with marker, and returns it with blanks in the marker's place.
func afterMarker(line []byte, marker string) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	if !ok || len(rest) > 0 && !bytes.ContainsAny(rest[:1], " \t\r\n") {
		return nil, false
	}
	return append([]byte("   "), rest...), true
}

// yamlDocument returns false for a document that has comments and directives only.
func yamlDocument(start int, lines [][]byte) (document, bool) {
	blank := true
	for i, line := range lines {
		trimmed := bytes.TrimSpace(line)
		if blank && len(line) > 0 && line[0] == '%' {
			lines[i] = []byte("\n") // a directive, which says nothing to us
			continue
		}
		blank = blank && (len(trimmed) == 0 || trimmed[0] == '#')
	}
	if blank {
		return document{}, false
	}
	text := bytes.Join(lines, nil)
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		line, err := yamlError(text, err)
		return document{line: start + line, err: err}, true
	}
	return document{line: start, json: converted}, true
}

// yamlMessage takes the messages of the YAML parser apart. It is never changed.
var yamlMessage = regexp.MustCompile(`^(?:error converting YAML to JSON: )?(?:yaml: )?(?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// yamlError words an error of the YAML parser, and says how many lines into the document it is. The parser's messages can
// hold pieces of the document, which are kept back where it may hold a password.
func yamlError(text []byte, err error) (line int, worded error) {
	message := err.Error()
	found := yamlMessage.FindStringSubmatch(message)
	if n, err := strconv.Atoi(found[1]); err == nil && n > 0 {
		line = n - 1
	}
	if bytes.Contains(text, []byte("Secret")) {
		return line, errors.New("is not YAML (details are not shown, as the document may hold a password): correct it")
	}
	return line, fmt.Errorf("is not YAML: %s: correct it", oneLine(strings.TrimPrefix(message, found[0])))
}

// jsonDocuments reads the values of text one after the other.
func jsonDocuments(text []byte) iter.Seq[document] {
	return func(yield func(document) bool) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		line, counted := 1, 0
		lineAt := func(offset int64) int {
			line += bytes.Count(text[counted:offset], []byte("\n"))
			counted = int(offset)
			return line
		}
		for more := true; more; {
			var value json.RawMessage
			err := decoder.Decode(&value)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				offset := int64(len(text))
				var syntax *json.SyntaxError
				if errors.As(err, &syntax) {
					offset = min(syntax.Offset, offset)
				}
				yield(document{line: lineAt(max(offset, int64(counted))), err: fmt.Errorf("is not JSON: %s: correct it", oneLine(err.Error()))})
				return
			}
			more = yield(document{line: lineAt(decoder.InputOffset() - int64(len(value))), json: value})
		}
	}
}

// plainText says why text cannot be read at all, or nothing.
func plainText(text []byte) string {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return "is empty: write at least one object, or remove the file"
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return "is not text in UTF-8: save it as UTF-8"
	}
	return ""
}

// oneLine makes a message that may hold pieces of a file fit for a log.
func oneLine(s string) string {
	quoted := strconv.Quote(strings.Join(strings.Fields(s), " "))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
