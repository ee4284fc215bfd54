package httpapi

import (
	"context"

	"oneqtour/apps/internal/web"
	"oneqtour/apps/viewpage/domain"
	"oneqtour/apps/viewpage/usecase"
)

// letters are the view's dead letters, documents like everything that it keeps.
type letters struct {
	view *usecase.Service
	app  string
}

func (l letters) Keep(ctx context.Context, d web.DeadLetter) error {
	return l.view.KeepDeadLetter(ctx, usecase.DeadLetter{
		ID: d.ID, App: d.App, Topic: d.Topic, Type: d.Type, Subject: d.Subject, Reason: d.Reason, At: d.At, Payload: d.Payload,
	})
}

func (l letters) List(ctx context.Context, q web.LetterQuery) ([]web.DeadLetter, error) {
	page := usecase.LetterQuery{Since: q.Since, Limit: q.Limit, All: q.All}
	if q.Behind != nil {
		page.Behind = &domain.Position{At: q.Behind.At.UnixMicro(), ID: q.Behind.ID}
	}
	found, err := l.view.DeadLetters(ctx, page)
	list := make([]web.DeadLetter, len(found))
	for i, d := range found {
		list[i] = letter(d)
	}
	return list, err
}

func (l letters) Find(ctx context.Context, id string) (web.DeadLetter, error) {
	d, err := l.view.DeadLetter(ctx, l.app, id)
	return letter(d), err
}

func (l letters) Begin(ctx context.Context, id string, r web.Replay, may func(web.DeadLetter) error) (web.DeadLetter, error) {
	d, err := l.view.BeginReplay(ctx, l.app, id, usecase.Replay{At: r.At, By: r.By, Result: r.Result},
		func(d usecase.DeadLetter) error { return may(letter(d)) })
	return letter(d), err
}

func (l letters) Replayed(ctx context.Context, id string, r web.Replay) error {
	return l.view.NoteReplay(ctx, l.app, id, usecase.Replay{At: r.At, By: r.By, Result: r.Result, Settled: r.Result == web.ReplayDone})
}

func letter(d usecase.DeadLetter) web.DeadLetter {
	replays := make([]web.Replay, len(d.Replays))
	for i, r := range d.Replays {
		replays[i] = web.Replay{At: r.At, By: r.By, Result: r.Result}
	}
	return web.DeadLetter{
		ID: d.ID, App: d.App, Topic: d.Topic, Type: d.Type, Subject: d.Subject, Reason: d.Reason, At: d.At,
		Payload: d.Payload, Replays: replays,
	}
}
