package lab

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// tinkServer stands for the Tink server of a side's stack: it takes connections and closes them.
func (c *Creation) tinkServer(s *Side) error {
	listener, err := s.Listen(net.JoinHostPort(s.Addr.String(), tinkPort))
	if err != nil {
		return fmt.Errorf("tink server of the %s cluster: %w", s.Role, err)
	}
	var accepting sync.WaitGroup
	var failed error
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err == nil {
				err = conn.Close()
			}
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					failed = fmt.Errorf("tink server of the %s cluster: %w", s.Role, err)
				}
				return
			}
		}
	})
	c.onClose(func() error {
		err := listener.Close()
		accepting.Wait()
		return errors.Join(err, failed)
	})
	return nil
}
