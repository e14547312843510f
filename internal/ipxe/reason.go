package ipxe

import "github.com/tugboot/tugboot/internal/boot"

// The reasons of a path, besides boot's: what was given, or why nothing was.
const (
	// ReasonBinary: a first-stage binary.
	ReasonBinary boot.Reason = "Binary"
	// ReasonImage: a kernel or an initrd.
	ReasonImage boot.Reason = "Image"
	// ReasonAutoexec: autoexec.ipxe.
	ReasonAutoexec boot.Reason = "Autoexec"
	// ReasonScriptContents: the text of the Hardware's ipxe.contents.
	ReasonScriptContents boot.Reason = "ScriptContents"

	// ReasonNoSuchFile: no file of that name is here.
	ReasonNoSuchFile boot.Reason = "NoSuchFile"
	// ReasonNotTheMachine: somebody else than the machine asks for its script.
	ReasonNotTheMachine boot.Reason = "NotTheMachine"
	// ReasonHookURLMissing: neither the site nor the Hardware says where kernel and initrd are.
	ReasonHookURLMissing boot.Reason = "HookURLMissing"
	// ReasonScriptValueRefused: a value of the Hardware may not stand in a script.
	ReasonScriptValueRefused boot.Reason = "ScriptValueRefused"
)
