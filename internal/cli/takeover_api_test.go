package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

func TestTakeoverExitCodes(t *testing.T) {
	for name, want := range map[string]struct{ status, plan int }{
		"not-observed": {3, 3}, "out-of-date": {3, 3}, "bootstrap": {0, 3}, "handover": {3, 3}, "verifying": {3, 0},
		"managed": {0, 0}, "degraded": {3, 0}, "override": {0, 0}, "conflict": {3, 3},
	} {
		a := apiWith(t, nil, aTakeover(t, name))
		for command, want := range map[string]int{"status": want.status, "plan": want.plan} {
			for _, args := range [][]string{{command}, {command, "lab"}, {command, "-o", "json", "lab"}} {
				code, stdout, stderr := a.takeover(args...)
				if code != want || stdout == "" || (stderr == "") != (want == 0) || strings.Count(stderr, "\n") > 1 {
					t.Errorf("%s: %v: exit code %d, want %d; stdout %d bytes, stderr %q", name, args, code, want, len(stdout), stderr)
				}
			}
		}
	}
}

func TestTakeoverJSON(t *testing.T) {
	a := apiWith(t, nil, aTakeover(t, "handover"))
	_, stdout, _ := a.takeover("status", "-o", "json")
	var status takeoverView
	if err := json.Unmarshal([]byte(stdout), &status); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if diff := cmp.Diff(viewOf(aTakeover(t, "handover")), status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	_, stdout, _ = a.takeover("plan", "-o", "json")
	var plan struct {
		Change   bool
		From, To v1alpha1.Advertised
		WaitsFor []string
		Gates    []gateView
	}
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if !plan.Change || plan.From.Address != "192.168.2.112" || plan.To.ScriptURL != "http://192.168.2.50:7171/auto.ipxe" ||
		!slices.Equal(plan.WaitsFor, []string{"Steady"}) || len(plan.Gates) != 2 {
		t.Errorf("plan %+v", plan)
	}
	_, stdout, _ = a.takeover("now", "-o", "json")
	var now changeView
	if err := json.Unmarshal([]byte(stdout), &now); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if now.Done || now.Annotation != "tugboot.dev/force" || now.Value == nil || *now.Value != status.Identity || len(now.Says) < 3 {
		t.Errorf("now %+v", now)
	}
}

// TestTakeoverChanges: a change is one merge patch of one annotation, and none where there is nothing to do or --yes is
// missing.
func TestTakeoverChanges(t *testing.T) {
	const uid = "0c4a0d0e-51c6-4a5b-9e52-1c56d7a2f0aa"
	for _, test := range []struct {
		object, command string
		code            int
		patch           string // the annotations of the patch; empty for none
	}{
		{"handover", "now", 2, ""},
		{"handover", "now --yes", 0, `{"tugboot.dev/force":"` + uid + `"}`},
		{"verifying", "now --yes", 0, ""},
		{"verifying", "now --off", 0, `{"tugboot.dev/force":null}`},
		{"force-of-another", "now --yes", 0, `{"tugboot.dev/force":"` + uid + `"}`},
		{"managed", "now --yes", 0, ""},
		{"managed", "now", 0, ""},
		{"bootstrap", "now --yes", 1, ""},
		{"override", "now --yes", 1, ""},
		{"conflict", "now --yes", 1, ""},
		{"frozen", "now --yes", 1, ""},
		{"out-of-date", "now --yes", 1, ""},
		{"managed", "freeze", 0, `{"tugboot.dev/freeze":"true"}`},
		{"managed", "freeze --off", 0, ""},
		{"force-of-another", "freeze", 0, `{"tugboot.dev/freeze":"true"}`},
		{"frozen", "freeze lab", 0, ""},
		{"frozen", "freeze --off lab", 0, `{"tugboot.dev/freeze":null}`},
		{"managed", "override 192.168.2.112", 0, `{"tugboot.dev/override":"192.168.2.112"}`},
		{"managed", "override http://192.168.2.112/auto.ipxe lab", 0, `{"tugboot.dev/override":"http://192.168.2.112/auto.ipxe"}`},
		{"override", "override 192.168.2.112", 0, ""},
		{"override", "override --off lab", 0, `{"tugboot.dev/override":null}`},
		{"managed", "override --off", 0, ""},
		{"managed", "rollback", 2, ""},
		{"managed", "rollback --yes lab", 0, `{"tugboot.dev/override":"192.168.2.112"}`},
		{"bootstrap", "rollback --yes", 1, ""},
		{"override", "rollback --yes", 1, ""},
		{"hostile", "rollback --yes", 1, ""},
	} {
		t.Run(test.object+" "+test.command, func(t *testing.T) {
			a := apiWith(t, nil, aTakeover(t, test.object))
			code, stdout, stderr := a.takeover(strings.Fields(test.command)...)
			if code != test.code || (stdout == "") != (code == 1) || (stderr == "") != (code == 0) {
				t.Errorf("exit code %d, want %d; stdout %q, stderr %q", code, test.code, stdout, stderr)
			}
			var want []string
			if test.patch != "" {
				want = []string{`application/merge-patch+json {"metadata":{"annotations":` + test.patch + `}}`}
			}
			if diff := cmp.Diff(want, a.patches); diff != "" {
				t.Errorf("patches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTakeoverWrongUse(t *testing.T) {
	for command, words := range map[string]string{
		"":                                "",
		"later":                           `unknown command "later"`,
		"status a b":                      "at most one",
		"status UPPER":                    "is not the name of a Takeover",
		"status --output=yaml":            "use table or json",
		"status --namespace=a/b":          "is not the name of a namespace",
		"status --force":                  "unknown flag",
		"override":                        "0 arguments where it takes one or two",
		"override a b c":                  "3 arguments where it takes one or two",
		"override --off a b":              "at most one",
		"override 127.0.0.1":              "machines cannot be sent there",
		"override https://192.0.2.1/a":    "begins with http://",
		"rollback --off":                  "unknown flag",
		"freeze --yes":                    "unknown flag",
		"status --kubeconfig=/none/there": "give a file with which kubectl reaches your cluster",
		"status --kubeconfig=/dev/null":   "names no cluster",
	} {
		code, stdout, stderr := run("", append([]string{"takeover"}, strings.Fields(command)...)...)
		want := 2
		switch {
		case words == "":
			want = 0
		case strings.Contains(command, "kubeconfig"):
			want = 1
		}
		if code != want || !strings.Contains(stderr, words) || (stdout == "") != (want != 0) {
			t.Errorf("%s: exit code %d, want %d; stderr %q, want %q", command, code, want, stderr, words)
		}
	}
}

// TestTakeoverFailures: what can go wrong is one line that names object and remedy, and exit code 1.
func TestTakeoverFailures(t *testing.T) {
	one := aTakeover(t, "managed")
	two := one.DeepCopy()
	two.Name = "other"
	say := func(code int, reason, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { refuse(w, code, reason, message) }
	}
	page := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, text)
		}
	}
	for name, test := range map[string]struct {
		api     *api
		command string
		words   []string
	}{
		"none":            {apiWith(t, nil), "status", []string{"namespace eksa-system: holds no Takeover", "create one"}},
		"several":         {apiWith(t, nil, one, two), "status", []string{"holds several Takeovers", "lab, other"}},
		"not that one":    {apiWith(t, nil, one), "status nameless", []string{"Takeover eksa-system/nameless", "kubectl get takeovers -A"}},
		"no CRD, list":    {apiWith(t, page(404, "404 page not found\n")), "status", []string{"does not know Takeovers", "kubectl apply -f config/crd"}},
		"not found, list": {apiWith(t, say(404, "NotFound", "no")), "status", []string{"does not know Takeovers"}},
		"no CRD, get":     {apiWith(t, page(404, "404 page not found\n")), "status lab", []string{"does not know Takeovers", "kubectl apply -f config/crd"}},
		"forbidden":       {apiWith(t, say(403, "Forbidden", "no")), "status lab", []string{"may not get it", "get, list and patch"}},
		"forbidden, list": {apiWith(t, say(403, "Forbidden", "no")), "plan", []string{"may not list it", "get, list and patch"}},
		"unauthorized":    {apiWith(t, say(401, "Unauthorized", "no")), "status", []string{"does not accept this account", "renew the kubeconfig"}},
		"broken":          {apiWith(t, say(500, "InternalError", "etcd\n\x1b[2J")), "status", []string{`etcd\n\x1b[2J`, "look at the API server's health"}},
		"garbage":         {apiWith(t, page(200, "<html>")), "status", []string{"Takeovers in namespace eksa-system", "check the kubeconfig"}},
		"unreachable":     {&api{kubeconfig: kubeconfig(t, "http://127.0.0.1:1")}, "status", []string{"does not answer", "connection refused", "check the kubeconfig"}},
	} {
		code, stdout, stderr := test.api.takeover(strings.Fields(test.command)...)
		if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "tugboot: ") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", name, code, stdout, stderr)
		}
		for _, words := range test.words {
			if !strings.Contains(stderr, words) {
				t.Errorf("%s: stderr %q lacks %q", name, stderr, words)
			}
		}
	}
}

// TestTakeoverAsksLittle: one request reads, a list is bounded and says when it goes on, and no answer is waited for long.
func TestTakeoverAsksLittle(t *testing.T) {
	one := aTakeover(t, "managed")
	two := one.DeepCopy()
	two.Name = "other"
	a := apiWith(t, nil, one, two)
	a.more = true
	if _, _, stderr := a.takeover("status"); !strings.Contains(stderr, "lab, other, and more") {
		t.Errorf("stderr %q", stderr)
	}
	a.takeover("status", "lab")
	a.takeover("freeze", "lab")
	const folder = "/apis/tugboot.dev/v1alpha1/namespaces/eksa-system/takeovers"
	want := []string{"GET " + folder + "?limit=10&timeout=15s", "GET " + folder + "/lab?timeout=15s", "GET " + folder + "/lab?timeout=15s",
		"PATCH " + folder + "/lab?fieldManager=tugboot&timeout=15s"}
	if diff := cmp.Diff(want, a.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
