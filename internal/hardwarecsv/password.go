package hardwarecsv

import (
	"fmt"
	"io"
)

// redacted is what is shown in place of a password.
const redacted = "(password not shown)"

// Password is a BMC's password. However it is printed, logged or encoded, it shows that there is one and not which; Write
// alone puts it into the Secret. The zero value is no password.
type Password struct {
	// text is a pointer because fmt prints unexported fields past every method of theirs, but follows no pointer in them.
	text *string
}

func newPassword(text string) Password { return Password{text: &text} }

func (p Password) reveal() string {
	if p.text == nil {
		return ""
	}
	return *p.text
}

// String implements fmt.Stringer.
func (p Password) String() string { return redacted }

// Format implements fmt.Formatter for every verb.
func (p Password) Format(f fmt.State, _ rune) {
	// An error of the writer is the caller's of fmt, which gets it there.
	_, _ = io.WriteString(f, redacted)
}

// MarshalText implements encoding.TextMarshaler, and so stands for JSON too.
func (p Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalLog implements logr.Marshaler.
func (p Password) MarshalLog() any { return redacted }
