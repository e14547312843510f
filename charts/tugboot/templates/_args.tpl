{{- define "tugboot.args" -}}
{{- $v := .Values -}}
- serve
- --advertise={{ include "tugboot.advertise" . }}
- --dhcp={{ $v.serve.dhcp }}
{{- range $name, $mode := $v.serve.dhcpInterfaces }}
- --dhcp-interface={{ $name }}={{ $mode }}
{{- end }}
{{- range $v.serve.relayFrom }}
- --relay-from={{ . }}
{{- end }}
{{- if $v.serve.autoScript }}
- --auto-script=/etc/tugboot/auto-script/auto.ipxe
{{- end }}
- --tftp={{ ternary ":69" "off" $v.serve.tftp }}
- --http={{ if $v.serve.http }}:{{ int $v.serve.http }}{{ else }}off{{ end }}
{{- if $v.serve.https.secretName }}
- --https=:{{ int $v.serve.https.port }}
- --https-cert=/https/tls.crt
- --https-key=/https/tls.key
{{- if ne $v.serve.https.advertise "none" }}
- --https-advertise={{ $v.serve.https.advertise }}
{{- end }}
{{- end }}
{{- range $flag, $value := dict "http-connections" $v.serve.limits.connections "http-connections-per-client" $v.serve.limits.connectionsPerClient "http-rate" $v.serve.limits.rate "http-rate-per-client" $v.serve.limits.ratePerClient }}
{{- with int $value }}
- --{{ $flag }}={{ . }}
{{- end }}
{{- end }}
{{- if ne $v.serve.scriptAccess "auto" }}
- --script-access={{ $v.serve.scriptAccess }}
{{- end }}
- --syslog={{ ternary ":514" "off" $v.serve.syslog }}
- --state-dir=/var/lib/tugboot
{{- range $v.interfaces }}
- --interfaces={{ . }}
{{- end }}
{{- range $v.hardwareNamespaces }}
- --namespace={{ . }}
{{- end }}
{{- with $v.hookURL }}
- --hook-url={{ . }}
{{- end }}
{{- if $v.hookVolume }}
- --hook-dir=/hook
{{- end }}
{{- if $v.verifyImages }}
- --verify-images
{{- end }}
{{- range $v.kernelArgs }}
- {{ printf "--kernel-args=%s" . | quote }}
{{- end }}
{{- range $v.consoles }}
- {{ printf "--console=\"%s\"" . | quote }}
{{- end }}
{{- with $v.tinkServer }}
- --tink-server={{ . }}
{{- end }}
{{- if $v.ipxe.volume }}
- --ipxe-dir=/ipxe
{{- end }}
{{- range $family, $file := $v.ipxe.bootFiles }}
- --boot-file={{ $family }}={{ $file }}
{{- end }}
{{- with $v.ipxe.userClass }}
- {{ printf "--ipxe-user-class=%s" . | quote }}
{{- end }}
{{- if $v.takeover.enabled }}
- --takeover-namespace={{ $v.takeover.namespace }}
- --role={{ $v.role }}
{{- end }}
{{- with $v.dhcpServices.namespace }}
- --dhcpservice-namespace={{ . }}
{{- end }}
- --metrics-bind-address={{ $v.metrics.address }}
- --health-probe-bind-address=:{{ int $v.healthPort }}
- --drain-timeout={{ int $v.drainSeconds }}s
- --log-level={{ $v.log.level }}
- --log-format={{ $v.log.format }}
{{- range $v.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
