package httpapi

import (
	"net/netip"
	"slices"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
)

// caller is who asks, as far as the token tells; err says why it tells nobody.
type caller struct {
	web.Principal
	err error
}

type callerKey struct{}

// admit finds out who asks and whether it is too much. Only a verified subject has a quota of its own: a
// made-up one, like none, counts for the address that it comes from.
func (g Gateway) admit(c *fiber.Ctx) error {
	var who caller
	if header := c.Get(fiber.HeaderAuthorization); header == "" {
		who.err = fault.New(fault.Unauthenticated)
	} else {
		who.Principal, who.err = g.Identity.Verify(c.UserContext(), header)
	}
	wait := g.Subjects.Take
	key := who.Subject
	if who.err != nil {
		wait, key = g.Sources.Take, source(c.IP())
	}
	if d := wait(key); d > 0 {
		return fault.New(fault.TooMany).After(d)
	}
	c.Locals(callerKey{}, who)
	return c.Next()
}

// source is what shares a quota: an IPv4 address, or an IPv6 network, within which a client can choose
// addresses as it likes.
func source(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	prefix, _ := addr.WithZone("").Prefix(64)
	return prefix.String()
}

// only refuses all whom allowed refuses.
func only(roles []string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := allowed(c, roles); err != nil {
			return err
		}
		return c.Next()
	}
}

// allowed refuses a caller without one of the roles; no role means anyone, but nobody with a token that is forged
// or has expired, who would be taken for a stranger and wonder. Whose token cannot be judged now is a stranger.
func allowed(c *fiber.Ctx, roles []string) error {
	who, _ := c.Locals(callerKey{}).(caller)
	if len(roles) == 0 {
		if c.Get(fiber.HeaderAuthorization) != "" && fault.CodeOf(who.err) == fault.Unauthenticated {
			return who.err
		}
		return nil
	}
	if who.err != nil {
		return who.err
	}
	if !slices.ContainsFunc(roles, who.Has) {
		return fault.New(fault.WrongRole)
	}
	return nil
}
