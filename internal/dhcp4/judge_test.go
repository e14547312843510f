package dhcp4

import (
	"net/netip"
	"testing"

	"github.com/tugboot/tugboot/internal/boot"
	"github.com/tugboot/tugboot/internal/reservation"
)

func TestJudge(t *testing.T) {
	const own, other, foreign = "192.168.2.185", "192.168.2.77", "10.77.0.84"
	request := func(options ...tlv) message { return from(join([]tlv{optType(TypeRequest)}, options...)...) }
	ours, theirs := optAddr(54, "192.168.2.112"), optAddr(54, "192.168.2.5")
	bootstrap := optAddr(54, "192.168.2.113") // the other stack during a takeover
	asks := func(a string) tlv { return optAddr(50, a) }
	link := func(a string) tlv { return relayOption(subAddr(5, a)) }
	override := relayOption(subAddr(11, "192.168.2.1"))
	const near, far = "192.168.2.1", "10.77.0.1"
	for name, test := range map[string]struct {
		message message
		verdict Verdict
		reason  boot.Reason
	}{
		"discover":                                {from(optType(TypeDiscover)), Offer, ""},
		"discover, another address wished":        {from(optType(TypeDiscover), asks(other)), Offer, ""},
		"discover via relay":                      {from(optType(TypeDiscover)).relayed(near), Offer, ""},
		"discover via a relay elsewhere":          {from(optType(TypeDiscover)).relayed(far), Silent, ReasonWrongSubnet},
		"discover, relay elsewhere, link ours":    {from(optType(TypeDiscover), link("192.168.2.0")).relayed(far), Offer, ""},
		"discover, relay here, link elsewhere":    {from(optType(TypeDiscover), link("10.77.0.0")).relayed(near), Silent, ReasonWrongSubnet},
		"discover, link named without relay":      {from(optType(TypeDiscover), link("10.77.0.0")), Offer, ""},
		"discover, subnet selected":               {from(optType(TypeDiscover), optAddr(118, "192.168.2.0")).relayed(far), Offer, ""},
		"discover, another subnet selected":       {from(optType(TypeDiscover), optAddr(118, "10.77.0.0")), Silent, ReasonWrongSubnet},
		"discover, link beats subnet selection":   {from(optType(TypeDiscover), optAddr(118, "10.77.0.0"), link("192.168.2.0")).relayed(far), Offer, ""},
		"discover names a server":                 {from(optType(TypeDiscover), theirs), Offer, ""},
		"selecting":                               {request(ours, asks(own)), Ack, ""},
		"selecting the other stack":               {request(bootstrap, asks(own)), Ack, ""},
		"selecting another server":                {request(theirs, asks(own)), Silent, ReasonOtherServer},
		"selecting another server, wrong address": {request(theirs, asks(other)), Silent, ReasonOtherServer},
		"selecting, wrong address":                {request(ours, asks(other)), Nak, ReasonWrongAddress},
		"selecting, wrong address, via relay":     {request(ours, asks(other)).relayed(near), Nak, ReasonWrongAddress},
		"selecting, wrong ciaddr":                 {request(ours, asks(own)).at(other), Nak, ReasonWrongAddress},
		"selecting, right ciaddr, wrong address":  {request(ours, asks(other)).at(own), Nak, ReasonWrongAddress},
		"selecting us on another subnet":          {request(ours, asks(foreign)).relayed(far), Nak, ReasonWrongSubnet},
		"selecting by the relay's identifier":     {request(optAddr(54, near), asks(own), override).relayed(near), Ack, ""},
		"the relay's identifier, other address":   {request(optAddr(54, near), asks(other), override).relayed(near), Silent, ReasonOtherServer},
		"the relay's identifier without relay":    {request(optAddr(54, near), asks(own), override), Silent, ReasonOtherServer},
		"init-reboot":                             {request(asks(own)), Ack, ""},
		"init-reboot, wrong address":              {request(asks(other)), Nak, ReasonWrongAddress},
		"init-reboot, moved away with ours":       {request(asks(own)).relayed(far), Nak, ReasonWrongSubnet},
		"init-reboot, at home elsewhere":          {request(asks(foreign)).relayed(far), Silent, ReasonWrongSubnet},
		"renewing":                                {request().at(own), Ack, ""},
		"renewing, ciaddr decides":                {request(asks(other)).at(own), Ack, ""},
		"renewing, wrong address":                 {request().at(other), Nak, ReasonWrongAddress},
		"renewing, ciaddr decides against":        {request(asks(own)).at(other), Nak, ReasonWrongAddress},
		"rebinding via relay":                     {request().at(own).relayed(near), Ack, ""},
		"rebinding on another subnet":             {request().at(own).relayed(far), Nak, ReasonWrongSubnet},
		"neither 50 nor ciaddr":                   {request(), Ack, ""},
		"neither 50 nor ciaddr, elsewhere":        {request().relayed(far), Silent, ReasonWrongSubnet},
		"inform":                                  {from(optType(TypeInform)).at(own), Ack, ""},
		"inform, another address of the subnet":   {from(optType(TypeInform)).at(other), Ack, ""},
		"inform, another subnet":                  {from(optType(TypeInform)).at(foreign), Silent, ReasonWrongSubnet},
		"inform from the broadcast address":       {from(optType(TypeInform)).at("192.168.2.255"), Silent, ReasonWrongSubnet},
		"inform from the subnet's first address":  {from(optType(TypeInform)).at("192.168.2.0"), Silent, ReasonWrongSubnet},
		"inform without address":                  {from(optType(TypeInform)), Silent, ReasonNoClientAddress},
		"decline":                                 {from(optType(TypeDecline), ours, asks(own)), Silent, ReasonDeclined},
		"decline to another server":               {from(optType(TypeDecline), theirs, asks(own)), Silent, ReasonOtherServer},
		"decline of another address":              {from(optType(TypeDecline), ours, asks(other)), Silent, ReasonWrongAddress},
		"release":                                 {from(optType(TypeRelease), ours).at(own), Silent, ReasonReleased},
		"release to another server":               {from(optType(TypeRelease), theirs).at(own), Silent, ReasonOtherServer},
		"release of another address":              {from(optType(TypeRelease), ours).at(other), Silent, ReasonWrongAddress},
	} {
		t.Run(name, func(t *testing.T) {
			self := &Self{Servers: Servers{ID: addr("192.168.2.112"), Also: []netip.Addr{addr("192.168.2.113")}}, Endpoint: testEndpoint()}
			q := test.message.parse(t)
			verdict, reason := Judge(q, testReservation(), self)
			if verdict != test.verdict || reason != test.reason {
				t.Errorf("%v %q, want %v %q", verdict, reason, test.verdict, test.reason)
			}
			if verdict, reason := Judge(q, nil, self); verdict != Silent || reason != boot.ReasonNotReserved && reason != ReasonOtherServer {
				t.Errorf("without a reservation: %v %q", verdict, reason)
			}
		})
	}
}

// TestQuiet: a reason to be quiet silences every answer there would be, and is named after the reasons that say that the
// machine, or the question, is not ours.
func TestQuiet(t *testing.T) {
	ours, theirs, asks := optAddr(54, "192.168.2.112"), optAddr(54, "192.168.2.5"), optAddr(50, "192.168.2.77")
	quiet := *testSelf
	quiet.Quiet = "TakeoverPending"
	for name, test := range map[string]struct {
		message message
		want    boot.Reason
	}{
		"discover":                 {from(optType(TypeDiscover)), "TakeoverPending"},
		"discover elsewhere":       {from(optType(TypeDiscover)).relayed("10.77.0.1"), "TakeoverPending"},
		"selecting":                {from(optType(TypeRequest), ours), "TakeoverPending"},
		"selecting, wrong address": {from(optType(TypeRequest), ours, asks), "TakeoverPending"},
		"selecting another server": {from(optType(TypeRequest), theirs), ReasonOtherServer},
		"renewing":                 {from(optType(TypeRequest)).at("192.168.2.185"), "TakeoverPending"},
		"inform":                   {from(optType(TypeInform)).at("192.168.2.185"), "TakeoverPending"},
		"decline":                  {from(optType(TypeDecline), ours), "TakeoverPending"},
		"release to another":       {from(optType(TypeRelease), theirs), ReasonOtherServer},
	} {
		q := test.message.parse(t)
		o := Answer(q, only(testReservation()), &quiet)
		if o.Verdict != Silent || o.Reason != test.want || o.Reply.Packet != nil || o.Reservation == nil {
			t.Errorf("%s: %v %q, want silence and %q", name, o.Verdict, o.Reason, test.want)
		}
		if o := Answer(q, only(), &quiet); o.Verdict != Silent || o.Reason != boot.ReasonNotReserved && o.Reason != ReasonOtherServer {
			t.Errorf("%s without a reservation: %v %q", name, o.Verdict, o.Reason)
		}
	}
}

func TestJudgeGatewayCountsAsOnTheSubnet(t *testing.T) {
	r := testReservation()
	r.Address, r.Gateway = reservation.MustParsePrefix("192.168.2.185/32"), addr("10.0.0.1")
	if verdict, _ := Judge(from(optType(TypeDiscover)).relayed("10.0.0.1").parse(t), r, testSelf); verdict != Offer {
		t.Errorf("%v behind the gateway of a /32", verdict)
	}
}

func TestInformInTheSmallestSubnets(t *testing.T) {
	for _, test := range []struct {
		prefix, ciaddr string
		want           Verdict
	}{
		{"192.168.2.185/30", "192.168.2.184", Silent},
		{"192.168.2.185/30", "192.168.2.186", Ack},
		{"192.168.2.185/30", "192.168.2.187", Silent},
		{"192.168.2.185/31", "192.168.2.184", Ack},
		{"192.168.2.185/32", "192.168.2.185", Ack},
	} {
		r := testReservation()
		r.Address = reservation.MustParsePrefix(test.prefix)
		if verdict, reason := Judge(from(optType(TypeInform)).at(test.ciaddr).parse(t), r, testSelf); verdict != test.want {
			t.Errorf("%s asks in %s: %v %q, want %v", test.ciaddr, test.prefix, verdict, reason, test.want)
		}
	}
}

func TestJudgeWithoutServerIdentifier(t *testing.T) {
	for _, id := range []netip.Addr{{}, addr("fd00::1")} {
		verdict, reason := Judge(from(optType(TypeDiscover)).parse(t), testReservation(), &Self{Servers: Servers{ID: id}})
		if verdict != Silent || reason != ReasonNoServerIdentifier {
			t.Errorf("with server identifier %v: %v %q", id, verdict, reason)
		}
	}
}

func TestServerIdentifierOfReplies(t *testing.T) {
	self := &Self{Servers: Servers{ID: addr("192.168.2.112"), Also: []netip.Addr{addr("192.168.2.113")}}, Endpoint: testEndpoint()}
	for name, test := range map[string]struct {
		message message
		want    string
	}{
		"own":             {from(optType(TypeDiscover)), "192.168.2.112"},
		"as chosen":       {from(optType(TypeRequest), optAddr(54, "192.168.2.113")), "192.168.2.113"},
		"discover":        {from(optType(TypeDiscover), optAddr(54, "192.168.2.113")), "192.168.2.112"},
		"the relay's":     {from(optType(TypeDiscover), relayOption(subAddr(11, "192.168.2.1"))).relayed("192.168.2.1"), "192.168.2.1"},
		"NAK, as chosen":  {from(optType(TypeRequest), optAddr(54, "192.168.2.113"), optAddr(50, "192.168.2.9")), "192.168.2.113"},
		"not from client": {from(optType(TypeDiscover), relayOption(subAddr(11, "192.168.2.1"))), "192.168.2.112"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Answer(test.message.parse(t), only(testReservation()), self)
			if got := find(wireOptions(t, o.Reply.Packet), 54); string(got) != string(appendAddress(nil, addr(test.want))) {
				t.Errorf("option 54 is %v, want %s", got, test.want)
			}
			if o.Reply.ServerIdentifier != addr(test.want) {
				t.Errorf("ServerIdentifier is %s, want %s", o.Reply.ServerIdentifier, test.want)
			}
		})
	}
}
