{{- define "tugboot.advertise" -}}
{{- if eq .Values.role "bootstrap" -}}
{{- required "bootstrapIP is empty: with role bootstrap set it to the address of the bootstrap node that machines reach" .Values.bootstrapIP -}}
{{- else -}}
{{- required "tinkerbellIP is empty: with role management set it to the cluster's Tinkerbell address" .Values.tinkerbellIP -}}
{{- end -}}
{{- end -}}
{{- define "tugboot.labels" -}}
app.kubernetes.io/name: tugboot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
