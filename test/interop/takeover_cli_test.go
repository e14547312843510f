package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	clientcmd "k8s.io/client-go/tools/clientcmd/api/v1"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/test/lab"
)

// takeoverCLI is a person at a control plane, with `tugboot takeover` and kubectl.
type takeoverCLI struct {
	t    *testing.T
	ctx  context.Context
	lab  *lab.Lab
	api  *lab.ControlPlane
	file string // the kubeconfig that tugboot uses
}

const takeoverUID = "0c4a0d0e-51c6-4a5b-9e52-1c56d7a2f0aa"

// takeover runs `tugboot takeover` and expects an exit code and words, in what it prints or in its error.
func (p *takeoverCLI) takeover(code int, words, command string) string {
	p.t.Helper()
	args := append([]string{suite.program, "takeover", "--kubeconfig=" + p.file}, strings.Fields(command)...)
	stdout, err := p.lab.Server.Run(p.ctx, nil, args...)
	got, text := 0, string(stdout)
	if err != nil {
		text += err.Error()
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
		got = exit.ExitCode()
	}
	if got != code || !strings.Contains(text, words) {
		p.t.Errorf("takeover %s: exit code %d, want %d with %q in:\n%s", command, got, code, words, text)
	}
	return string(stdout)
}

func (p *takeoverCLI) kubectl(input string, args ...string) string {
	p.t.Helper()
	out, err := p.api.Kubectl(p.ctx, strings.NewReader(input), args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(out)
}

// annotations are those of the Takeover lab.
func (p *takeoverCLI) annotations() map[string]string {
	p.t.Helper()
	var all map[string]string
	out := p.kubectl("", "--namespace=eksa-system", "get", "takeover", "lab", "--output=jsonpath={.metadata.annotations}")
	if out == "" {
		return all
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		p.t.Fatal(err)
	}
	return all
}

func (p *takeoverCLI) annotated(key, want string) {
	p.t.Helper()
	if got, found := p.annotations()[key]; got != want || found != (want != "") {
		p.t.Errorf("annotation %s is %q, want %q", key, got, want)
	}
}

// status writes the status as a controller would.
func (p *takeoverCLI) status(status string) {
	p.t.Helper()
	p.kubectl("", "--namespace=eksa-system", "patch", "takeover", "lab", "--subresource=status", "--type=merge", "--patch="+status)
}

func TestTakeoverCommands(t *testing.T) {
	t.Parallel()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run `make interop`, which sets it to what hack/control-plane.sh prints")
	}
	ctx, cancel := context.WithTimeout(suite.ctx, 100*time.Second)
	t.Cleanup(cancel)
	l, err := lab.New(ctx, "interop-takeover-cli", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	api, err := l.StartControlPlane(ctx, assets)
	if err != nil {
		t.Fatal(err)
	}
	p := &takeoverCLI{t: t, ctx: ctx, lab: l, api: api, file: api.Kubeconfig}
	p.withoutTakeover()
	p.beforeTheChange()
	p.steer()
	p.sideBySide()
	p.afterTheChange()
	p.leastRights()
	p.kubectl("apiVersion: tugboot.dev/v1alpha1\nkind: Takeover\nmetadata: {name: second, namespace: eksa-system}", "create", "--filename=-")
	p.takeover(1, "name one of them: lab, second", "status")
	p.takeover(3, "NotObserved", "status second")
	api.StopAPI()
	p.takeover(1, "does not answer", "status lab")
}

func (p *takeoverCLI) withoutTakeover() {
	p.kubectl("", "create", "namespace", "eksa-system")
	p.takeover(1, "does not know Takeovers: run `kubectl apply", "status")
	p.takeover(1, "does not know Takeovers: run `kubectl apply", "freeze lab")
	p.kubectl("", "apply", "--server-side", "--filename="+filepath.Join("..", "..", "config", "crd", "bases", "tugboot.dev_takeovers.yaml"))
	p.kubectl("", "wait", "--for=condition=Established", "--timeout=30s", "crd/takeovers.tugboot.dev")
	p.takeover(1, "holds no Takeover: create one", "plan")
	p.takeover(1, "there is none of that name", "plan lab")
}

func (p *takeoverCLI) beforeTheChange() {
	p.kubectl("apiVersion: tugboot.dev/v1alpha1\nkind: Takeover\nmetadata: {name: lab, namespace: eksa-system, annotations: {example.com/mine: kept}}",
		"create", "--filename=-")
	p.takeover(3, "no instance has looked at this Takeover yet", "status")
	p.takeover(1, "no instance has looked at this Takeover yet", "now --yes")
	p.status(`{"status":{"observedGeneration":1,"phase":"HandoverSeen","clusterName":"lab","role":"Management","tinkerbellIP":"192.168.2.50",
		"identity":"` + takeoverUID + `","epoch":1,"since":"2026-11-23T10:00:00Z",
		"advertised":{"address":"192.168.2.112","tftpPort":69,"httpPort":7171,"scriptURL":"http://192.168.2.112:7171/auto.ipxe"},
		"conditions":[
		{"type":"Ready","status":"False","reason":"GateShut","message":"ScriptServed is shut","lastTransitionTime":"2026-11-23T10:00:00Z"},
		{"type":"EvidenceSeen","status":"True","reason":"SelfManaged","message":"","lastTransitionTime":"2026-11-23T10:00:00Z"},
		{"type":"ScriptServed","status":"False","reason":"ScriptNotServed","message":"404","lastTransitionTime":"2026-11-23T10:00:00Z"}]}}`)
	p.takeover(3, "ScriptServed  ScriptNotServed  404", "status")
	p.takeover(3, "the takeover waits for ScriptServed", "plan lab")
	wide := strings.Fields(p.kubectl("", "--namespace=eksa-system", "get", "to", "lab", "--output=wide", "--no-headers"))
	if len(wide) != 7 || strings.Join(append(wide[:3:3], wide[4:6]...), " ") != "lab HandoverSeen 192.168.2.112 False GateShut" {
		p.t.Errorf("kubectl get --output=wide prints %q", wide)
	}
	if text := p.kubectl("", "explain", "takeover.spec.probe.interval"); !strings.Contains(text, "10s by default") {
		p.t.Errorf("kubectl explain prints %q", text)
	}
}

func (p *takeoverCLI) steer() {
	p.takeover(2, "ScriptServed is shut: ScriptNotServed: 404", "now")
	p.annotated("tugboot.dev/force", "")
	p.takeover(0, "done;", "now --yes")
	p.annotated("tugboot.dev/force", takeoverUID)
	p.takeover(0, "was told to go ahead already", "now --yes")
	p.takeover(0, "waits for evidence and gates again", "now --off")
	p.annotated("tugboot.dev/force", "")

	p.takeover(0, "is frozen", "freeze")
	p.annotated("tugboot.dev/freeze", "true")
	p.takeover(1, "it is frozen: run `tugboot takeover freeze --off", "now --yes")
	p.takeover(0, "is no longer frozen", "freeze --off")
	p.annotated("tugboot.dev/freeze", "")

	p.takeover(0, "once a stack is seen to serve there", "override 192.168.2.60 lab")
	p.annotated("tugboot.dev/override", "192.168.2.60")
	p.takeover(0, "taken as it is", "override http://192.168.2.60/auto.ipxe")
	p.annotated("tugboot.dev/override", "http://192.168.2.60/auto.ipxe")
	p.takeover(1, "an override to http://192.168.2.60/auto.ipxe stands", "rollback --yes")
	p.takeover(0, "is removed", "override --off")
	p.annotated("tugboot.dev/override", "")
	p.annotated("example.com/mine", "kept")
}

// sideBySide has others annotate the same object at the same time: nobody's word is lost.
func (p *takeoverCLI) sideBySide() {
	var others sync.WaitGroup
	for n := range 6 {
		others.Go(func() {
			if _, err := p.api.Kubectl(p.ctx, nil, "--namespace=eksa-system", "annotate", "takeover", "lab", fmt.Sprintf("example.com/n%d=x", n)); err != nil {
				p.t.Error(err)
			}
		})
	}
	for range 3 {
		p.takeover(0, "", "freeze")
		p.takeover(0, "", "freeze --off")
	}
	others.Wait()
	for n := range 6 {
		p.annotated(fmt.Sprintf("example.com/n%d", n), "x")
	}
}

func (p *takeoverCLI) afterTheChange() {
	p.status(`{"status":{"phase":"Managed","epoch":3,"since":"2026-11-23T11:00:00Z",
		"advertised":{"address":"192.168.2.50","scriptURL":"http://192.168.2.50:7171/auto.ipxe"},
		"conditions":[{"type":"Ready","status":"True","reason":"Managed","message":"","lastTransitionTime":"2026-11-23T11:00:00Z"}],
		"history":[{"at":"2026-11-23T11:00:00Z","reason":"TakenOver","from":"192.168.2.112","to":"192.168.2.50","epoch":3}]}}`)
	p.takeover(0, "http://192.168.2.50:7171/auto.ipxe", "status")
	p.takeover(0, "nothing would change", "plan")
	p.takeover(0, "the takeover has happened", "now --yes")
	p.annotated("tugboot.dev/force", "")
	var shown struct {
		Phase      string
		Advertised struct{ Address string }
		History    []struct{ From string }
	}
	if err := json.Unmarshal([]byte(p.takeover(0, "", "status --output=json")), &shown); err != nil || shown.Phase != "Managed" ||
		shown.Advertised.Address != "192.168.2.50" || len(shown.History) != 1 || shown.History[0].From != "192.168.2.112" {
		p.t.Errorf("as JSON: %+v %v", shown, err)
	}
	p.takeover(2, "the latch stays, with epoch 3", "rollback")
	p.annotated("tugboot.dev/override", "")
	p.takeover(0, "the latch stays, with epoch 3", "rollback --yes")
	p.annotated("tugboot.dev/override", "192.168.2.112")
	p.takeover(0, "is removed", "override --off")
	p.kubectl("", "--namespace=eksa-system", "patch", "takeover", "lab", "--type=merge", `--patch={"spec":{"policy":"Manual"}}`)
	p.takeover(3, "OutOfDate", "status")
}

// leastRights works as a person who has what the error of the first try names, and nothing else.
func (p *takeoverCLI) leastRights() {
	text, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	config := clientcmd.Config{}
	if err := yaml.Unmarshal(text, &config); err != nil {
		p.t.Fatal(err)
	}
	config.AuthInfos[0].AuthInfo.Impersonate = "operator"
	if text, err = yaml.Marshal(config); err != nil {
		p.t.Fatal(err)
	}
	admin := p.file
	defer func() { p.file = admin }()
	p.file = filepath.Join(p.t.TempDir(), "operator")
	if err := os.WriteFile(p.file, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.takeover(1, "may not list it: have the verbs get, list and patch on takeovers.tugboot.dev granted", "status")
	p.takeover(1, "may not get it: have the verbs get, list and patch on takeovers.tugboot.dev granted", "freeze lab")
	p.kubectl("", "--namespace=eksa-system", "create", "role", "operator", "--verb=get,list,patch", "--resource=takeovers.tugboot.dev")
	p.kubectl("", "--namespace=eksa-system", "create", "rolebinding", "operator", "--role=operator", "--user=operator")
	p.takeover(0, "is frozen", "freeze")
	p.takeover(0, "is no longer frozen", "freeze --off lab")
}
