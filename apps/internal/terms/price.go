// Package terms holds what store shows and reservation freezes by the same rules: the price of a reservation
// and the cancellation terms that apply to it.
package terms

import "oneqtour/apps/internal/money"

// Price of a reservation, in won.
type Price struct {
	List, Discount, Payable money.KRW
}

// PriceOf is price × travellers, less the tour discount, which is cut to the won once, on the total.
func PriceOf(price money.KRW, discount money.BasisPoints, travellers int) Price {
	list := price.Times(travellers)
	off := list.Part(discount)
	return Price{List: list, Discount: off, Payable: list - off}
}
