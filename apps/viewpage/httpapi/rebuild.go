package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/viewpage/usecase"
)

type rebuildAnswer struct {
	RebuildID  string                  `json:"rebuildId,omitempty"`
	State      string                  `json:"state"`            // IDLE, RUNNING, DONE, FAILED
	Generation int                     `json:"generation"`       // of the documents that are read
	Making     int                     `json:"making,omitempty"` // the generation that is made
	Owners     []usecase.OwnerProgress `json:"owners"`
	StartedAt  time.Time               `json:"startedAt,omitzero"`
	FinishedAt time.Time               `json:"finishedAt,omitzero"`
	Reason     string                  `json:"reason,omitempty"` // of FAILED
	LagMillis  usecase.Lag             `json:"lagMillis"`        // of the last five minutes, in the replica that answers
}

// startRebuild answers POST /ops/rebuild: 202 with the rebuild that runs, begun now or before.
func (h handler) startRebuild(c *fiber.Ctx) error {
	r, err := h.view.StartRebuild(c.UserContext())
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(rebuildOf(r))
}

// rebuilding answers GET /ops/rebuild.
func (h handler) rebuilding(c *fiber.Ctx) error {
	r, err := h.view.Rebuilding(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(rebuildOf(r))
}

func rebuildOf(r usecase.Rebuilding) rebuildAnswer {
	answer := rebuildAnswer{
		RebuildID: r.RebuildID, State: r.State, Generation: r.Generation, Making: r.Making, Owners: r.Owners,
		StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Reason: r.Reason, LagMillis: r.Lag,
	}
	if answer.Owners == nil {
		answer.Owners = []usecase.OwnerProgress{}
	}
	return answer
}
