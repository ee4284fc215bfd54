package peers

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// told keeps what the sidecar was asked to do.
type told struct {
	data     string
	metadata map[string]string
}

func (b *told) Bind(_ context.Context, name, operation string, data []byte, metadata map[string]string) error {
	*b = told{name + " " + operation + " " + string(data), metadata}
	return nil
}

func message(md domain.MDID) usecase.Message {
	return usecase.Message{
		ID:         string(md) + ":7",
		OwedNotice: domain.OwedNotice{MD: md, Notice: domain.Notice{Seq: 7, Status: "CONFIRMED"}},
		Title:      contract.Text{Ko: "확정", En: "Confirmed"},
		Text:       contract.Text{Ko: "확정 <b>", En: "Confirmed"},
	}
}

func TestAReceiverGetsADocument(t *testing.T) {
	var sidecar told
	n, err := NewNotices(&sidecar, "notices", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.HandOver(t.Context(), message("md-1")); err != nil {
		t.Fatal(err)
	}
	raw, ok := strings.CutPrefix(sidecar.data, "notices create ")
	var doc document
	if err := json.Unmarshal([]byte(raw), &doc); err != nil || !ok || doc.ID != "md-1:7" || doc.Seq != 7 || doc.Text.Ko != "확정 <b>" {
		t.Errorf("%s: %v", sidecar.data, err)
	}
	if sidecar.metadata["Idempotency-Key"] != "md-1:7" || sidecar.metadata["emailTo"] != "" {
		t.Errorf("metadata %v", sidecar.metadata)
	}
}

func TestAMailIsForPeople(t *testing.T) {
	var sidecar told
	n, err := NewNotices(&sidecar, "notices", "%s@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.HandOver(t.Context(), message("md-1")); err != nil {
		t.Fatal(err)
	}
	if sidecar.metadata["emailTo"] != "md-1@example.com" || sidecar.metadata["subject"] != "확정 / Confirmed [md-1:7]" {
		t.Errorf("metadata %v", sidecar.metadata)
	}
	if !strings.Contains(sidecar.data, "<p>확정 &lt;b&gt;</p>") {
		t.Errorf("mail %s", sidecar.data)
	}
}

func TestNoMailGoesAstray(t *testing.T) {
	n, err := NewNotices(&told{}, "notices", "%s@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, md := range []domain.MDID{"", "a@evil.example, b", "a@evil.example;b", "x\r\nBcc: y", "<a@evil.example>"} {
		if err := n.HandOver(t.Context(), message(md)); err == nil {
			t.Errorf("%q has no address", md)
		}
	}
	for _, pattern := range []string{"md@example.com", "%s", "%s@%s", "%s;x@example.com"} {
		if _, err := NewNotices(&told{}, "notices", pattern); err == nil {
			t.Errorf("%q makes no address", pattern)
		}
	}
}
