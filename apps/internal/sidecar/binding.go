package sidecar

import (
	"context"
	"fmt"

	dapr "github.com/dapr/go-sdk/client"
)

// Bind hands data to an output binding: the component that stands under the name decides what becomes of it.
// nil: its receiver has taken it. An error may come after it has, too.
func (c *Client) Bind(ctx context.Context, name, operation string, data []byte, metadata map[string]string) error {
	err := c.sdk.InvokeOutputBinding(ctx, &dapr.InvokeBindingRequest{
		Name: name, Operation: operation, Data: data, Metadata: metadata,
	})
	if err != nil {
		return fmt.Errorf("binding %s: %w", name, err)
	}
	return nil
}
