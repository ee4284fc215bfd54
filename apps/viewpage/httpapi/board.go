package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/viewpage/usecase"
)

type boardAnswer struct {
	web.List[usecase.BoardItem]
	AsOf time.Time `json:"asOf,omitzero"`
}

// board answers GET /board?kind=&limit=&cursor=, with an ETag of what is shown.
func (h handler) board(c *fiber.Ctx) error {
	behind, limit, err := pageOf(c)
	if err != nil {
		return err
	}
	kind := c.Query("kind")
	var wrong fault.Fields
	wrong.Check(kind == "" || kind == terms.Domestic || kind == terms.Overseas, "kind", fault.NotAllowed,
		terms.Domestic+", "+terms.Overseas)
	if err := wrong.Err(); err != nil {
		return err
	}
	board, err := h.view.Board(c.UserContext(), kind, behind, limit)
	if err != nil {
		return err
	}
	return answerBoard(c, board, "public, no-cache")
}

// boardOfMD answers GET /md.
func (h handler) boardOfMD(c *fiber.Ctx) error {
	behind, limit, err := pageOf(c)
	if err != nil {
		return err
	}
	board, err := h.view.BoardOf(c.UserContext(), web.Caller(c).Subject, behind, limit)
	if err != nil {
		return err
	}
	return answerBoard(c, board, "private, no-cache")
}

// answerBoard writes the board, or 304 when the caller has it already.
func answerBoard(c *fiber.Ctx, board usecase.Board, caching string) error {
	doc, err := json.Marshal(boardAnswer{
		List: web.List[usecase.BoardItem]{Items: board.Items, NextCursor: next(board.Next)}, AsOf: board.AsOf,
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(doc)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, caching)
	if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(doc)
}

// matches compares weakly, as If-None-Match does: one of the listed tags, or any.
func matches(header, tag string) bool {
	for have := range strings.SplitSeq(header, ",") {
		have = strings.TrimSpace(have)
		if have == "*" || strings.TrimPrefix(have, "W/") == tag {
			return true
		}
	}
	return false
}

// pageOf reads limit and cursor.
func pageOf(c *fiber.Ctx) (*usecase.Cursor, int, error) {
	limit, err := web.Limit(c)
	if err != nil {
		return nil, 0, err
	}
	cursor, given, err := web.Cursor[usecase.Cursor](c)
	if err != nil || !given {
		return nil, limit, err
	}
	if !cursor.Valid() {
		return nil, 0, web.BadCursor()
	}
	return &cursor, limit, nil
}

func next(cursor *usecase.Cursor) *string {
	if cursor == nil {
		return nil
	}
	return web.Next(*cursor)
}
