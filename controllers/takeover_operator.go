package controllers

import (
	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/takeover"
)

// usualBootFiles are the first-stage binaries that every Tinkerbell serves, for an endpoint that a person names and of
// which nothing else is known.
const usualBootFiles = "bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"

// usualTFTPPort is the port at which firmware asks, and cannot be told another.
const usualTFTPPort = 69

// operatorOf reads a person's word from the annotations of a Takeover. Now is what is advertised.
func operatorOf(t *v1alpha1.Takeover, now takeover.Endpoint) takeover.Operator {
	o := takeover.Operator{Force: t.Annotations[v1alpha1.AnnotationForce]}
	freeze, set := t.Annotations[v1alpha1.AnnotationFreeze]
	o.Freeze = set && freeze != "false"
	text, set := t.Annotations[v1alpha1.AnnotationOverride]
	if !set {
		return o
	}
	override, err := v1alpha1.ParseOverride(text)
	if err != nil {
		o.Problems = append(o.Problems, takeover.Problem{
			Reason: takeover.ReasonInvalidAnnotation, Object: "Takeover " + t.Namespace + "/" + t.Name,
			Field: "metadata.annotations[" + v1alpha1.AnnotationOverride + "]", Remedy: err.Error(),
		})
		return o
	}
	o.Override = takeover.Endpoint{Addr: override.Addr, HTTPPort: override.HTTPPort, ScriptPath: override.ScriptPath}
	if override.Complete() {
		o.Override.TFTPPort, o.Override.BootFiles = usualTFTPPort, usualBootFiles
		if now.BootFiles != "" {
			o.Override.BootFiles = now.BootFiles
		}
	}
	return o
}
