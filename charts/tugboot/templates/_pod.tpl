{{- define "tugboot.pod" -}}
{{- $v := .Values -}}
metadata:
  labels:
    {{- include "tugboot.selector" . | nindent 4 }}
    {{- with $v.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- if or $v.podAnnotations $v.serve.autoScript }}
  annotations:
    {{- with $v.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
    {{- with $v.serve.autoScript }}
    # It is read when the process starts: another script makes new pods.
    tugboot.dev/auto-script: {{ sha256sum . | quote }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "tugboot.account" . }}
  {{- with $v.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  # Machines broadcast, and are told the node's address: the pod is on the node's network.
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- with $v.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  # More than the transfers may take that are waited for.
  terminationGracePeriodSeconds: {{ add (int $v.drainSeconds) 10 }}
  securityContext:
    seccompProfile: {type: RuntimeDefault}
  {{- with $v.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
  - name: tugboot
    image: {{ include "tugboot.image" . }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    args: {{- include "tugboot.args" . | nindent 4 }}
    env:
    # Which pod this is, for the Event that says why it does not start.
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
    {{- with $v.extraEnv }}{{ toYaml . | nindent 4 }}{{ end }}
    # Host ports, so that the scheduler puts no two pods with them on one node.
    ports:
    {{- if include "tugboot.dhcp" . }}
    - {name: dhcp, containerPort: 67, hostPort: 67, protocol: UDP}
    {{- end }}
    {{- if contains "proxy" (include "tugboot.dhcp" .) }}
    - {name: pxe, containerPort: 4011, hostPort: 4011, protocol: UDP}
    {{- end }}
    {{- if $v.serve.tftp }}
    - {name: tftp, containerPort: 69, hostPort: 69, protocol: UDP}
    {{- end }}
    {{- with int $v.serve.http }}
    - {name: http, containerPort: {{ . }}, hostPort: {{ . }}, protocol: TCP}
    {{- end }}
    {{- if $v.serve.https.secretName }}
    - {name: https, containerPort: {{ int $v.serve.https.port }}, hostPort: {{ int $v.serve.https.port }}, protocol: TCP}
    {{- end }}
    {{- if $v.serve.syslog }}
    - {name: syslog, containerPort: 514, hostPort: 514, protocol: UDP}
    - {name: syslog-tcp, containerPort: 514, hostPort: 514, protocol: TCP}
    {{- end }}
    {{- if $v.metrics.serviceMonitor.enabled }}
    - {name: metrics, containerPort: {{ include "tugboot.metricsPort" . }}, hostPort: {{ include "tugboot.metricsPort" . }}, protocol: TCP}
    {{- end }}
    - {name: health, containerPort: {{ int $v.healthPort }}, hostPort: {{ int $v.healthPort }}, protocol: TCP}
    # Ready: the first snapshot of Hardware is in force. The sockets are bound before either answers.
    readinessProbe:
      httpGet: {path: /readyz, port: health}
      periodSeconds: 2
    # Alive whatever becomes of the API: what was known last is served on.
    livenessProbe:
      httpGet: {path: /healthz, port: health}
      initialDelaySeconds: 10
    securityContext:
      runAsUser: {{ int $v.runAsUser }}
      runAsGroup: {{ int $v.runAsUser }}
      runAsNonRoot: {{ ne (int $v.runAsUser) 0 }}
      readOnlyRootFilesystem: true
      allowPrivilegeEscalation: false
      # The program raises what it is granted of these.
      capabilities:
        drop: [ALL]
        add: [NET_BIND_SERVICE{{ if $v.netRaw }}, NET_RAW{{ end }}]
    {{- with $v.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
    - {name: state, mountPath: /var/lib/tugboot}
    {{- if $v.ipxe.volume }}
    - {name: ipxe, mountPath: /ipxe, readOnly: true}
    {{- end }}
    {{- if $v.hookVolume }}
    - {name: hook, mountPath: /hook, readOnly: true}
    {{- end }}
    {{- if $v.serve.autoScript }}
    - {name: auto-script, mountPath: /etc/tugboot/auto-script, readOnly: true}
    {{- end }}
    {{- if $v.serve.https.secretName }}
    - {name: https, mountPath: /https, readOnly: true}
    {{- end }}
  volumes:
  - name: state
    {{- if $v.state.hostPath }}
    hostPath: {path: {{ $v.state.hostPath }}, type: DirectoryOrCreate}
    {{- else }}
    emptyDir: {}
    {{- end }}
  {{- with $v.ipxe.volume }}
  - name: ipxe
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.hookVolume }}
  - name: hook
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $v.serve.autoScript }}
  - name: auto-script
    configMap: {name: {{ include "tugboot.name" . }}-auto-script}
  {{- end }}
  {{- with $v.serve.https.secretName }}
  - name: https
    secret: {secretName: {{ . }}, items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]}
  {{- end }}
{{- end }}

{{- define "tugboot.metricsPort" -}}
{{- .Values.metrics.address | splitList ":" | last -}}
{{- end }}
