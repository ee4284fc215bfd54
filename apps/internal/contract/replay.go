package contract

// Topics of a rebuild of the view: the view asks, and every owner answers with the present state of all it owns.
const (
	TopicRebuild = "rebuild"
	TopicReplay  = "replay"
)

// Types of their events. A snapshot carries what the live events of its aggregate carry, as of now.
const (
	RebuildAsked = "oneqtour.viewpage.rebuild-asked.v1"

	ProductSnapshot     = "oneqtour.product.snapshot.v1"
	ReservationSnapshot = "oneqtour.reservation.snapshot.v1" // without the totals of the departure, which has its own
	DepartureSnapshot   = "oneqtour.reservation.departure-snapshot.v1"
	ReplayEnded         = "oneqtour.replay.ended.v1"
)

// Rebuild is the data of rebuild-asked. However often it is asked, an owner answers once.
type Rebuild struct {
	Meta      Meta   `json:"meta"`
	RebuildID string `json:"rebuildId"` // UUIDv7: a later rebuild has a greater one
}

// ReplayMark stands in the meta of everything on the topic replay.
type ReplayMark struct {
	RebuildID string `json:"rebuildId"`
	Owner     string `json:"owner"`  // app id
	Number    int64  `json:"number"` // of the snapshot, from 1 without a gap; of the end, how many there were
}

// Replayed is the data of replay-ended, and what of any other event on the topic says where it belongs.
type Replayed struct {
	Meta Meta `json:"meta"`
}
