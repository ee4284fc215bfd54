package terms

// Reasons for which a supplier closes a departure.
const (
	UnderSubscribed = "UNDER_SUBSCRIBED"
	SupplierFault   = "SUPPLIER_FAULT"
	ForceMajeure    = "FORCE_MAJEURE"
)

// What a supplier owes for cancelling, by the consumer dispute settlement standards and the standard terms of the
// Korea Fair Trade Commission, by the date of the closure, the latest last. The name of a table is shown nowhere.
var (
	underSubscribedOverseas = []dated{{"2014-03-21", Schedule{"", []Tier{{7, 0}, {1, 3000}, {0, 5000}}}}}
	underSubscribedNights   = []dated{{"2014-03-21", Schedule{"", []Tier{{3, 0}, {0, 1000}}}}}
	underSubscribedDay      = []dated{{"2014-03-21", Schedule{"", []Tier{{2, 0}, {0, 1000}}}}}
	supplierFaultOverseas   = []dated{{"2014-03-21", Schedule{"", []Tier{{30, 0}, {20, 1000}, {10, 1500}, {8, 2000}, {1, 3000}, {0, 5000}}}}}
	supplierFaultNights     = []dated{{"2014-03-21", Schedule{"", []Tier{{5, 0}, {2, 1000}, {1, 2000}, {0, 3000}}}}}
	supplierFaultDay        = []dated{{"2014-03-21", Schedule{"", []Tier{{3, 0}, {2, 1000}, {1, 2000}, {0, 3000}}}}}
)

// CompensationSchedule is which part of the tour price a supplier owes who closes a departure on that date for
// that reason, by the days that are left. FORCE_MAJEURE, and a reason that is not known, owe nothing.
func CompensationSchedule(reason, kind string, nights int, closed Date) Schedule {
	var overseas, night, day []dated
	switch reason {
	case UnderSubscribed:
		overseas, night, day = underSubscribedOverseas, underSubscribedNights, underSubscribedDay
	case SupplierFault:
		overseas, night, day = supplierFaultOverseas, supplierFaultNights, supplierFaultDay
	default:
		return Schedule{Tiers: []Tier{{0, 0}}}
	}
	return inForce(ofKind(kind, nights, overseas, night, day), closed)
}
