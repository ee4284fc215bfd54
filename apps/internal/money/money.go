// Package money counts whole won and whole basis points. No float touches money.
package money

import "math/big"

// KRW is an amount in whole won.
type KRW int64

// BasisPoints is a rate in hundredths of a percent: 500 is 5 %.
type BasisPoints int64

// Whole is a rate of 100 %.
const Whole BasisPoints = 10_000

// Part is amount × rate, cut (not rounded) to the won. It does not overflow for any amount.
func (a KRW) Part(rate BasisPoints) KRW {
	p := new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(int64(rate)))
	return KRW(p.Quo(p, big.NewInt(int64(Whole))).Int64())
}

// Times is amount × n.
func (a KRW) Times(n int) KRW { return a * KRW(n) }
