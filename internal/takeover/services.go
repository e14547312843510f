package takeover

import "strconv"

// takeoverMark is the mark under which this instance takes over: the bootstrap instance counts one up, the management
// instance two.
func (o Observation) takeoverMark(s standing) Mark {
	m := Mark{Cluster: s.Cluster, Fence: s.Fence, Identity: o.ForceIdentity()}
	m.Fence.Epoch++
	if o.Role == RoleManagement {
		m.Fence.Epoch++
	}
	return m
}

// raised is the mark of the stored baton, above every mark that stands in a service where this instance has the last word.
func (o Observation) raised(s standing) Mark {
	m := s.Mark
	if highest := o.highest(); o.mayRaise() && m.Fence.Less(highest) {
		m.Fence = Fence{Born: highest.Born, Epoch: highest.Epoch + 2}
	}
	return m
}

// mayRaise reports whether this is the management instance of a cluster that is at work, or of which a person says so:
// its word is the last.
func (o Observation) mayRaise() bool {
	return o.Role == RoleManagement && (o.Evidence.Local.SelfManaged() || o.forced())
}

// highest is the highest fence that stands in a service for this cluster.
func (o Observation) highest() Fence {
	var highest Fence
	for _, service := range o.Services {
		if service.Mark.Cluster == o.Cluster && service.Mark.Fence.sound() && highest.Less(service.Mark.Fence) {
			highest = service.Mark.Fence
		}
	}
	return highest
}

// written says whether all existing DHCP services say what d orders, and names those that are to be written.
func (o Observation) written(d order) (Finding, []string) {
	if len(o.Services) == 0 {
		return skipped(ReasonNoServices, "there are no existing DHCP services"), nil
	}
	if !d.writes {
		return skipped(ReasonNotTheWriter, "this instance has nothing to write to existing DHCP services now"), nil
	}
	var names []string
	var first Finding
	for _, service := range o.Services {
		f := service.says(d)
		if f.State.Passes() {
			continue
		}
		if f.Reason == ReasonWritePending {
			names = append(names, service.Name)
		}
		if first.Reason == "" || first.Reason == ReasonWritePending {
			first = f
		}
	}
	if first.Reason != "" {
		return first, names
	}
	return open(ReasonWritten, "all "+strconv.Itoa(len(o.Services))+" existing DHCP services say "+d.tell.Addr.String()+", read back"), nil
}

// says judges what one service says.
func (v Service) says(d order) Finding {
	name := "DHCP service " + shown(v.Name)
	switch {
	case v.Unreadable != "":
		return shut(ReasonServiceUnreadable, name+" cannot be read back: "+shown(v.Unreadable), "make it answer, or remove it from the Takeover's services")
	case v.Mark.Cluster != "" && v.Mark.Cluster != d.mark.Cluster:
		return shut(ReasonMarkOfAnotherCluster, name+" carries the mark of the cluster "+shown(v.Mark.Cluster), "give each cluster a service or a class of its own")
	case d.mark.Fence.Less(v.Mark.Fence) && v.Says.Addr == d.tell.Addr:
		return open(ReasonWritten, name+" says "+d.tell.Addr.String()+", written with the higher epoch "+epoch(v.Mark.Fence))
	case d.mark.Fence.Less(v.Mark.Fence):
		return shut(ReasonFenced, name+" was written with epoch "+epoch(v.Mark.Fence)+", above this instance's "+epoch(d.mark.Fence),
			"nothing is to be done if the management instance wrote it; else say so with `tugboot takeover now` over there")
	case v.Says == d.tell && v.Mark == d.mark:
		return open(ReasonWritten, name+" says "+d.tell.Addr.String())
	}
	return shut(ReasonWritePending, name+" does not say "+d.tell.Addr.String()+" with epoch "+epoch(d.mark.Fence)+" yet",
		"nothing is to be done: it is written and read back; if that does not end, its log says why")
}

func epoch(f Fence) string { return strconv.FormatInt(f.Epoch, 10) }
