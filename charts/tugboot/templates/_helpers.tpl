{{- define "tugboot.name" -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end }}

{{- define "tugboot.account" -}}
{{- .Values.serviceAccount.name | default (include "tugboot.name" .) -}}
{{- end }}

{{- define "tugboot.selector" -}}
app.kubernetes.io/name: tugboot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tugboot.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "tugboot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tugboot.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- /* The modes in which DHCP is answered, with blanks between; empty where none is. */}}
{{- define "tugboot.dhcp" -}}
{{- without (prepend (values .Values.serve.dhcpInterfaces | sortAlpha) .Values.serve.dhcp) "off" | join " " -}}
{{- end }}

{{- /* The address that machines are sent to. */}}
{{- define "tugboot.advertise" -}}
{{- $v := .Values -}}
{{- if eq $v.role "bootstrap" -}}
{{- required "bootstrapIP is empty: role is bootstrap, so set it to the address of this node that machines reach" $v.bootstrapIP -}}
{{- else if eq $v.role "management" -}}
{{- required "tinkerbellIP is empty: role is management, so set it to TinkerbellDatacenterConfig.spec.tinkerbellIP" $v.tinkerbellIP -}}
{{- else if and $v.bootstrapIP $v.tinkerbellIP -}}
{{- fail "bootstrapIP and tinkerbellIP are both set and role is auto: set role to bootstrap or management, or leave one of them empty" -}}
{{- else -}}
{{- required "bootstrapIP and tinkerbellIP are both empty: set the one of this cluster to the address that machines are sent to" (coalesce $v.bootstrapIP $v.tinkerbellIP) -}}
{{- end -}}
{{- end }}

{{- /* The rules of the n-th object of a file of config/rbac. */}}
{{- define "tugboot.rules" -}}
{{- $objects := splitList "\n---\n" (.files.Get (printf "files/rbac/%s" .file)) -}}
{{- toYaml (index $objects .n | fromYaml).rules -}}
{{- end }}

{{- define "tugboot.subjects" -}}
- kind: ServiceAccount
  name: {{ include "tugboot.account" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* What the schema cannot say. */}}
{{- define "tugboot.check" -}}
{{- $v := .Values -}}
{{- if and $v.hookURL $v.hookVolume -}}
{{- fail "hookURL and hookVolume are both set: kernel and initrd are in one place: leave one of them empty" -}}
{{- end -}}
{{- if and $v.hookVolume (not $v.serve.http) (not $v.serve.https.secretName) -}}
{{- fail "hookVolume is set and serve.http is 0: kernel and initrd are given by HTTP: set serve.http, or leave it empty" -}}
{{- end -}}
{{- if and $v.metrics.serviceMonitor.enabled (hasPrefix "127." $v.metrics.address) -}}
{{- fail (printf "metrics.address is %s and metrics.serviceMonitor.enabled is true: Prometheus does not reach a pod's loopback: set metrics.address to :8080" $v.metrics.address) -}}
{{- end -}}
{{- if and $v.takeover.create (not $v.takeover.enabled) -}}
{{- fail "takeover.create is true and takeover.enabled is false: nobody would act on the Takeover: set takeover.enabled to true" -}}
{{- end -}}
{{- if and (ne $v.role "auto") (eq $v.role "management") $v.takeover.remoteCheckSecret -}}
{{- fail "takeover.remoteCheckSecret is set and role is management: only the bootstrap instance looks into the other cluster: leave it empty" -}}
{{- end -}}
{{- if and $v.serve.autoScript (not (contains "auto-proxy" (include "tugboot.dhcp" .))) -}}
{{- fail (printf "serve.autoScript is set and serve.dhcp is %s: only auto-proxy gives machines without Hardware a script: set serve.dhcp, or the mode of an interface in serve.dhcpInterfaces, to auto-proxy, or leave it empty" $v.serve.dhcp) -}}
{{- end -}}
{{- range $name, $mode := $v.serve.dhcpInterfaces -}}
{{- if and $v.interfaces (not (has $name $v.interfaces)) -}}
{{- fail (printf "serve.dhcpInterfaces.%s is set and interfaces is %v: it is not served: add %s to interfaces, or leave it out" $name $v.interfaces $name) -}}
{{- end -}}
{{- end -}}
{{- if and $v.serve.relayFrom (not (include "tugboot.dhcp" .)) -}}
{{- fail "serve.relayFrom is set and serve.dhcp is off: no relay agent is listened to: leave it empty" -}}
{{- end -}}
{{- if and (ne $v.serve.https.advertise "none") (not $v.serve.https.secretName) -}}
{{- fail "serve.https.advertise is set and serve.https.secretName is empty: HTTPS is not served: name a Secret with tls.crt and tls.key" -}}
{{- end -}}
{{- if and (ne $v.serve.https.advertise "none") (or $v.takeover.enabled $v.dhcpServices.namespace) -}}
{{- fail "serve.https.advertise is set and takeover.enabled or dhcpServices.namespace too: an endpoint that is taken over is one of HTTP: set serve.https.advertise to none" -}}
{{- end -}}
{{- if and (not (include "tugboot.dhcp" .)) (not $v.serve.tftp) (eq (int $v.serve.http) 0) (not $v.serve.https.secretName) (not $v.serve.syslog) (not $v.dhcpServices.namespace) -}}
{{- fail "serve.* is all off and dhcpServices.namespace is empty: there is nothing to do: switch something on" -}}
{{- end -}}
{{- end }}
