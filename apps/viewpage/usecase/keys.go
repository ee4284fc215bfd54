package usecase

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// keys names the documents of one generation. A rebuild writes another generation beside it.
type keys struct{ generation int }

// of is the one place where keys of the view are made: g{generation}:part:part…
func (k keys) of(parts ...string) string {
	return "g" + strconv.Itoa(k.generation) + ":" + strings.Join(parts, ":")
}

func (k keys) product(id string) string     { return k.of("product", id) }
func (k keys) totals(id string) string      { return k.of("totals", id) }
func (k keys) reservation(id string) string { return k.of("reservation", id) }

// Names of indexes; their pages and directories have keys below them.
func (k keys) allProducts() string               { return k.of("products") }
func (k keys) productsOf(md string) string       { return k.of(ofMD(md)) }
func (k keys) reservationsOf(cust string) string { return k.of(ofCustomer(cust)) }
func (k keys) names() string                     { return k.of("names") }

// What names lists: the last part of an index's name.
const customerPrefix = "customer:"

func ofMD(md string) string             { return "md:" + digest(md) }
func ofCustomer(customer string) string { return customerPrefix + digest(customer) }

func pageKey(index, page string) string { return index + ":" + page }
func directoryKey(index string) string  { return index + ":pages" }

// readyKey is of no generation: nothing but whether the store takes it is of interest.
const readyKey = "ready"

// progressKey is what was heard of an owner for a rebuild.
func progressKey(rebuildID, owner string) string { return "rebuild:" + rebuildID + ":" + owner }

// Dead letters are not made from events, so they belong to no generation.
const deadLetters = "dead"

// deadLetter is {app}:{event id}, or a digest in the place of an id that no key can hold.
func deadLetterKey(app, id string) string {
	if rest, ok := strings.CutPrefix(id, app+":"); !ok || !isID(rest) {
		return app + ":" + digest(id)
	}
	return id
}

// digest makes a key part of any text. A subject may hold separators, be long, or differ from another one in
// letter case alone, which not every store tells apart.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
