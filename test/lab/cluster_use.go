package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Load imports an image archive, such as Image.WriteArchive or `docker save` makes, into the node. Pods must not have the
// imagePullPolicy Always.
func (c *Cluster) Load(ctx context.Context, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("cluster %s: image archive: %w", c.Name, err)
	}
	defer file.Close()
	if _, err := c.station.Run(ctx, file, c.node.ctr("images", "import", "-")...); err != nil {
		return fmt.Errorf("cluster %s: import %s: %w", c.Name, archive, err)
	}
	return nil
}

// Helm runs helm as administrator from inside the station's namespace and returns its standard output. Relative paths
// start at this process's folder. What helm caches is the cluster's own.
func (c *Cluster) Helm(ctx context.Context, args ...string) ([]byte, error) {
	own := filepath.Join(c.station.Dir, "helm")
	return c.station.Run(ctx, nil, slices.Concat([]string{"env", "KUBECONFIG=" + c.Kubeconfig, "HELM_CACHE_HOME=" + own,
		"HELM_CONFIG_HOME=" + own, "HELM_DATA_HOME=" + own, filepath.Join(c.assets, "helm")}, args)...)
}

// PodLogs returns what the containers of the pods that match a label selector have written, the last hundred lines of
// each, each line with the pod's and the container's name.
func (c *Cluster) PodLogs(ctx context.Context, namespace, selector string) (string, error) {
	out, err := c.Kubectl(ctx, nil, "logs", "--namespace="+namespace, "--selector="+selector, "--all-containers", "--prefix", "--tail=100")
	return string(out), err
}

// Exec runs a command in a pod and returns its standard output. target is a pod's name, or KIND/NAME for the first pod of
// a Deployment, for example.
func (c *Cluster) Exec(ctx context.Context, namespace, target string, command ...string) ([]byte, error) {
	return c.Kubectl(ctx, nil, slices.Concat([]string{"exec", "--namespace=" + namespace, target, "--"}, command)...)
}
