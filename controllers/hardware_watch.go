package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
)

// hardwareAPI lists and watches Hardware, and tells conn how that went.
type hardwareAPI struct {
	client rest.Interface
	params runtime.ParameterCodec
	conn   *connection
	log    logr.Logger
}

func newHardwareAPI(config *rest.Config, conn *connection, log logr.Logger) (*hardwareAPI, error) {
	scheme := rawScheme()
	c := rest.CopyConfig(config)
	c.GroupVersion = &v1alpha1.GroupVersion
	c.APIPath = "/apis"
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	c.ContentType, c.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	c.Timeout = 0 // it would end watches
	if c.UserAgent == "" {
		c.UserAgent = "tugboot"
	}
	client, err := rest.RESTClientFor(c)
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", v1alpha1.GroupVersion, err)
	}
	return &hardwareAPI{client: client, params: runtime.NewParameterCodec(scheme), conn: conn, log: log}, nil
}

// The waits between attempts double from the first to the last, and start again after a watch that lasted. The last is
// short: a CRD installed late or an API that returns is found within seconds, and one request in five is no load.
const (
	firstWait = 500 * time.Millisecond
	lastWait  = 5 * time.Second
	lasted    = time.Minute
)

// follow keeps s in step with the API until ctx is done.
func (a *hardwareAPI) follow(ctx context.Context, s scope) {
	debug := a.log.V(1)
	reflector := cache.NewReflectorWithOptions(a.in(s.namespace), &rawHardware{}, s, cache.ReflectorOptions{
		Name: "hardware", TypeDescription: "Hardware", Logger: &debug,
		Backoff: &wait.Backoff{Duration: firstWait, Factor: 2, Jitter: 0.5, Steps: 8, Cap: lastWait}, // between watches from where it was
	})
	ctx = logr.NewContext(ctx, debug)
	for pause := firstWait; ; pause = min(2*pause, lastWait) {
		began := time.Now()
		if err := reflector.ListAndWatchWithContext(ctx); err != nil {
			a.conn.outcome(ctx, err)
		}
		if time.Since(began) > lasted {
			pause = firstWait
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait.Jitter(pause, 0.5)):
		}
	}
}

// in returns the list and watch of one namespace, or of all when it is empty.
func (a *hardwareAPI) in(namespace string) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := &rawHardwareList{}
			err := a.request(namespace, options).Do(ctx).Into(list)
			a.conn.outcome(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			stream, err := a.request(namespace, options).Watch(ctx)
			if err != nil && options.SendInitialEvents != nil {
				return nil, withoutRetry(err)
			}
			a.conn.outcome(ctx, err)
			return stream, err
		},
	}
}

func (a *hardwareAPI) request(namespace string, options metav1.ListOptions) *rest.Request {
	return a.client.Get().NamespaceIfScoped(namespace, namespace != "").
		Resource(v1alpha1.HardwareResource).VersionedParams(&options, a.params)
}

// withoutRetry hides the kind of those errors that the reflector would wait out inside the initial streaming list, where
// it heeds no context and tells nobody. It makes a plain list instead, whose failure is reported and waited out properly.
func withoutRetry(err error) error {
	if utilnet.IsConnectionRefused(err) || apierrors.IsTooManyRequests(err) {
		return errors.New(err.Error())
	}
	return err
}
