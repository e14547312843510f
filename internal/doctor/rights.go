package doctor

import "slices"

// Need is what decides which rights serve needs.
type Need struct {
	// Namespaces are those of the Hardware; none means all.
	Namespaces []string
	// Takeover is the namespace of the Takeover, Services that of the DHCPServices; empty without.
	Takeover, Services string
	// KeaSecrets are the Secrets that DHCPServices name.
	KeaSecrets []string
	// RemoteCheck is true where the Takeover has remoteCheck Enabled; RemoteSecret is the Secret that is read then, empty while
	// the cluster has no name yet.
	RemoteCheck  bool
	RemoteSecret string
}

// Right is one verb on one kind of object.
type Right struct {
	Group, Resource, Subresource, Verb string
	// Namespace is empty for all namespaces, and for what is in none.
	Namespace string
	// Name is empty for every object.
	Name string
	// Room is the folder of config/rbac that grants it.
	Room string
	// Helpful is true for a right without which serve works, and says less.
	Helpful bool
}

// The folders with the roles.
const (
	roomServe       = "config/rbac"
	roomTakeover    = "config/rbac/takeover"
	roomServices    = "config/rbac/dhcpservice"
	roomRemoteCheck = "config/rbac/remote-check"
)

// String is the right in words, such as "list hardware.tinkerbell.org in all namespaces".
func (r Right) String() string {
	s := r.Verb + " " + r.Resource
	if r.Group != "" {
		s += "." + r.Group
	}
	if r.Subresource != "" {
		s += "/" + r.Subresource
	}
	if r.Name != "" {
		s += " " + r.Name
	}
	switch {
	case r.Namespace != "":
		return s + " in namespace " + r.Namespace
	case r.Resource == "nodes" || r.Resource == "namespaces": // which are in none
		return s
	}
	return s + " in all namespaces"
}

// grant is a rule of a role.
type grant struct {
	group, resource, subresource, name string
	verbs                              []string
}

// Rights returns every right that serve needs, each once. It is the same as the roles in config/rbac, one folder for each need.
func Rights(n Need) []Right {
	var all []Right
	add := func(room, namespace string, grants ...grant) {
		for _, g := range grants {
			for _, verb := range g.verbs {
				r := Right{Group: g.group, Resource: g.resource, Subresource: g.subresource, Verb: verb, Namespace: namespace, Name: g.name, Room: room}
				r.Helpful = g.resource == "events"
				if !slices.ContainsFunc(all, r.same) {
					all = append(all, r)
				}
			}
		}
	}
	scopes, withEvents := n.Namespaces, n.Namespaces
	if len(scopes) == 0 {
		scopes, withEvents = []string{""}, []string{""}
	} else {
		for _, also := range []string{n.Takeover, n.Services} {
			if also != "" {
				withEvents = append(slices.Clip(withEvents), also)
			}
		}
	}
	for _, s := range scopes {
		add(roomServe, s, grant{group: "tinkerbell.org", resource: "hardware", verbs: listWatch()})
	}
	for _, s := range withEvents {
		add(roomServe, s, grant{resource: "events", verbs: []string{"create"}})
	}
	if n.Takeover != "" {
		add(roomTakeover, "", everywhere()...)
		add(roomTakeover, n.Takeover, beside("takeovers", "get", "list", "watch", "create", "update")...)
	}
	if n.Services != "" {
		add(roomServices, n.Services, beside("dhcpservices", "get", "create", "update")...)
		for _, name := range n.KeaSecrets {
			add(roomServices, n.Services, grant{resource: "secrets", name: name, verbs: []string{"get"}})
		}
	}
	if n.Takeover != "" && n.RemoteCheck {
		add(roomRemoteCheck, n.Takeover, grant{resource: "secrets", name: n.RemoteSecret, verbs: []string{"get"}})
	}
	return all
}

func listWatch() []string { return []string{"list", "watch"} }

// everywhere is what the takeover reads in the whole cluster.
func everywhere() []grant {
	const eksa, capi = "anywhere.eks.amazonaws.com", "cluster.x-k8s.io"
	return []grant{
		{group: eksa, resource: "clusters", verbs: listWatch()}, {group: eksa, resource: "tinkerbelldatacenterconfigs", verbs: listWatch()},
		{group: capi, resource: "clusters", verbs: listWatch()}, {group: capi, resource: "machines", verbs: listWatch()},
		{group: "tinkerbell.org", resource: "workflows", verbs: listWatch()},
		{resource: "namespaces", name: "kube-system", verbs: listWatch()},
		{resource: "nodes", verbs: listWatch()}, {resource: "services", verbs: listWatch()},
		{group: "discovery.k8s.io", resource: "endpointslices", verbs: listWatch()},
	}
}

// beside is what is needed in the namespace of one of our kinds: its objects, their status, ConfigMaps and the leader's Lease.
func beside(kind string, configMaps ...string) []grant {
	return []grant{
		{group: "tugboot.dev", resource: kind, verbs: listWatch()},
		{group: "tugboot.dev", resource: kind, subresource: "status", verbs: []string{"update"}},
		{resource: "configmaps", verbs: configMaps},
		{group: "coordination.k8s.io", resource: "leases", verbs: []string{"get", "create", "update"}},
	}
}

// same reports whether both are the same right, whoever grants it.
func (r Right) same(other Right) bool {
	r.Room, other.Room = "", ""
	return r == other
}

// remedy says how the right is granted.
func (r Right) remedy() string {
	value := map[string]string{
		roomServe: "", roomTakeover: " and takeover.enabled", roomServices: " and dhcpServices.namespace", roomRemoteCheck: " and takeover.remoteCheckSecret",
	}[r.Room]
	if r.Room == roomServices && r.Resource == "secrets" {
		value = " and dhcpServices.secretNames"
	}
	return "`kubectl apply -k " + r.Room + "` and bind its role to this account, or with the chart set rbac.create" + value
}

// rights names each right that is missing.
func rights(f *Facts) []Finding {
	switch {
	case !f.Flags.Cluster:
		return passed("no cluster is asked (--hardware alone)")
	case f.API.unreachable():
		return passed("the API does not answer")
	case f.API.RightsFailed != "":
		return one(Warning, "it is not known what this account may do: "+f.API.RightsFailed, "see `kubectl auth can-i --list`")
	}
	var all []Finding
	for _, r := range f.API.Denied {
		l, effect := Error, ""
		if r.Helpful {
			l, effect = Warning, ": what is wrong with Hardware is said in the log alone"
		}
		all = append(all, Finding{Level: l, What: "this account may not " + r.String() + effect, Remedy: r.remedy()})
	}
	if len(all) == 0 {
		return one(OK, plural(f.API.Asked, "right is", "rights are")+" needed, and this account has all of them", "")
	}
	return all
}
