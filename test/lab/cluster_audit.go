package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// AccountRequest is what a service account asked of an API, and the answer, as its audit log tells.
type AccountRequest struct {
	// Account is the user's name, system:serviceaccount:NAMESPACE:NAME.
	Account string
	// Verb is Kubernetes', such as list; Resource is RESOURCE.GROUP, with /SUBRESOURCE where there is one, and empty for other
	// URLs. Namespace and Name are empty where the request has none.
	Verb, Resource, Namespace, Name string
	// Code is the HTTP status of the answer, 100 to 599.
	Code int
	// Lists says that a watch began with all that is there, as clients ask of API servers that can do so; of others they list.
	Lists bool
}

// AccountRequests reads the audit log: what the service accounts outside kube-system asked since the cluster was started. A request
// is there from its answer's beginning, so that a watch which is still running is there too.
func (c *Cluster) AccountRequests() (all []AccountRequest, err error) {
	file, err := os.Open(c.AuditLog)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var event struct {
			Verb           string
			RequestURI     string
			User           struct{ Username string }
			ObjectRef      struct{ APIGroup, Resource, Subresource, Namespace, Name string }
			ResponseStatus struct{ Code int }
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", c.AuditLog, n, err)
		}
		ref := event.ObjectRef
		resource := ref.Resource
		if ref.APIGroup != "" {
			resource += "." + ref.APIGroup
		}
		if ref.Subresource != "" {
			resource += "/" + ref.Subresource
		}
		all = append(all, AccountRequest{
			Account: event.User.Username, Verb: event.Verb, Resource: resource, Namespace: ref.Namespace, Name: ref.Name,
			Code: event.ResponseStatus.Code, Lists: event.Verb == "watch" && strings.Contains(event.RequestURI, "sendInitialEvents=true"),
		})
	}
	return all, lines.Err()
}
