package webhook

import (
	"context"
	"fmt"
	"time"
)

// Deliver sends an event, whose id is the same for each attempt. Any status 2xx confirms it.
func (c *Client) Deliver(ctx context.Context, id string, body []byte) error {
	request, err := c.sign(ctx, id, time.Now().UTC().Truncate(time.Second), body)
	if err != nil {
		return err
	}
	status, _, err := c.send(request)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("the response has status %d, not 2xx", status)
	}
	return err
}
