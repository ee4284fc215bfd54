package oracle

import "fmt"

// inboxes: per MD numbered 1, 2, 3 … without a gap; one notice for each row of the histories but the first.
func (w *World) inboxes() []Finding {
	var f findings
	want := map[string]string{} // reservation and version → MD and status
	for id, r := range w.Reservations {
		for _, h := range r.History {
			if h.Version > 1 {
				want[fmt.Sprint(id, " ", h.Version)] = r.MD + " " + h.To
			}
		}
	}
	last := map[string]int64{}
	for _, n := range w.Notices {
		if n.Seq != last[n.MD]+1 {
			f.add(InboxDiffers, n.MD, "notice %d follows %d", n.Seq, last[n.MD])
		}
		last[n.MD] = n.Seq
		change := fmt.Sprint(n.Reservation, " ", n.Version)
		switch told, ok := want[change]; {
		case !ok:
			f.add(InboxDiffers, n.Reservation, "notice %d of %s of version %d: no such row, or a second notice of it", n.Seq, n.MD, n.Version)
		case told != n.MD+" "+n.Status:
			f.add(InboxDiffers, n.Reservation, "notice %d says %s %s, the history %s", n.Seq, n.MD, n.Status, told)
		}
		delete(want, change)
	}
	for change, told := range want {
		f.add(InboxDiffers, change[:36], "version %s (%s) has no notice", change[37:], told)
	}
	for md, seq := range w.LastSeq {
		if last[md] != seq {
			f.add(InboxDiffers, md, "the counter is %d, the last notice %d", seq, last[md])
		}
	}
	return f
}
