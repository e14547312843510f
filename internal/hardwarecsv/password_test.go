package hardwarecsv

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

const hiddenPassword = "hunter2secret"

// hidden holds the password in every way in which code may come to hold it, unexported fields included.
func hidden() []any {
	p := newPassword(hiddenPassword)
	bmc := BMC{Username: "root", Password: p}
	row := Row{Hostname: "wk01", BMC: &bmc}
	return []any{
		p, &p, bmc, &bmc, row, []Row{row}, row.Objects("metal"), struct{ inside Password }{p}, struct{ inside BMC }{bmc},
		map[string]Password{"p": p}, []any{p}, Result{Rows: []Row{row}},
	}
}

func TestPasswordIsNeverPrinted(t *testing.T) {
	for _, v := range hidden() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			refuseSecret(t, fmt.Sprintf("%T with %s", v, verb), fmt.Sprintf(verb, v))
		}
		if text, err := json.Marshal(v); err != nil {
			t.Errorf("%T: %v", v, err)
		} else {
			refuseSecret(t, fmt.Sprintf("%T as JSON", v), string(text))
		}
	}
}

func TestPasswordLooksTheSameInEveryVerb(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, newPassword(hiddenPassword)); got != redacted {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := newPassword(hiddenPassword).String(); got != redacted {
		t.Errorf("String returns %s", got)
	}
}

func TestPasswordIsNeverLogged(t *testing.T) {
	var logged strings.Builder
	log := funcr.New(func(_, args string) { logged.WriteString(args) }, funcr.Options{Verbosity: 9})
	logAll(log)
	refuseSecret(t, "the log", logged.String())
	if !strings.Contains(logged.String(), redacted) {
		t.Errorf("the log does not say that there is a password: %s", logged.String())
	}
}

func logAll(log logr.Logger) {
	for _, v := range hidden() {
		log.Info("a row", "value", v)
	}
}

// refuseSecret looks for the password as it is, in hexadecimal and as the bytes that %d prints.
func refuseSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, form := range []string{hiddenPassword, fmt.Sprintf("%x", hiddenPassword), "104 117 110 116"} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the password: %s", where, text)
		}
	}
}

// The password leaves through the Secret, and through nothing else that is written.
func TestPasswordIsWrittenIntoTheSecretOnly(t *testing.T) {
	text := render(t, parseFile(t, "testdata/facts.csv", Options{}).Rows, DefaultNamespace)
	if n := strings.Count(text, "UHJaOFc5M2k="); n != 1 {
		t.Errorf("the password stands there %d times:\n%s", n, text)
	}
	if strings.Contains(text, "PrZ8W93i") {
		t.Errorf("the password stands there as it is:\n%s", text)
	}
}
