package redisstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-go/hallpass"
)

var errDamaged = errors.New("what is stored cannot be read")

// micro is the precision of every time in a store.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// over reports whether a thing that ends at end is over at now. A zero end is
// never.
func over(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

const stampLength = 20

// position is a time as 20 digits that sort as times do.
func position(t time.Time) string { return positionOf(t.UnixMicro()) }

func positionOf(micros int64) string {
	text := strconv.FormatUint(uint64(micros)^1<<63, 10)
	return strings.Repeat("0", stampLength-len(text)) + text
}

// stamp is position, and nothing for no time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return position(t)
}

func parseStamp(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) != stampLength {
		return time.Time{}, errDamaged
	}
	return time.UnixMicro(int64(n ^ 1<<63)).UTC(), nil
}

// place is where a row stands in an index.
func place(issued time.Time, id string) string { return position(issued) + id }

// encoder writes texts one after the other. Bytes stay as they are.
type encoder []byte

func (b *encoder) text(s string) {
	*b = binary.AppendUvarint(*b, uint64(len(s)))
	*b = append(*b, s...)
}

// decoder reads what encoder wrote.
type decoder struct {
	rest string
	err  error
}

func (d *decoder) text() string {
	n, size := binary.Uvarint([]byte(d.rest[:min(len(d.rest), binary.MaxVarintLen64)]))
	if size <= 0 || n > uint64(len(d.rest)-size) {
		d.err, d.rest = errDamaged, ""
		return ""
	}
	s := d.rest[size : size+int(n)]
	d.rest = d.rest[size+int(n):]
	return s
}

func (d *decoder) time() time.Time {
	t, err := parseStamp(d.text())
	if err != nil {
		d.err = err
	}
	return t
}

// fixedForm is the form of a row's fixed part.
const fixedForm = "1"

// fields are a row as the scripts know it: what never changes, then MaxUses, Used,
// Refunds, RevokedAt, ExpiresAt, KeepUntil.
func fields(e *hallpass.Entry) []string {
	var b encoder
	b.text(fixedForm)
	for _, s := range []string{
		string(e.Scope), string(e.Mode), e.Subject, string(e.Data), e.Recipient, e.Batch, e.Target, e.Key, e.Browser,
		stamp(e.IssuedAt), stamp(e.NotBefore), flag(e.Recorded), strconv.Itoa(len(e.Grants)),
	} {
		b.text(s)
	}
	for _, g := range e.Grants {
		b.text(g.Method)
		b.text(g.Path)
		b.text(flag(g.Exact))
	}
	return []string{
		string(b), strconv.FormatInt(e.MaxUses, 10), strconv.FormatInt(e.Used, 10), strconv.FormatInt(e.Refunds, 10),
		stamp(e.RevokedAt), stamp(e.ExpiresAt), stamp(e.KeepUntil),
	}
}

const fieldCount = 7

var fieldNames = []string{"b", "m", "u", "r", "v", "e", "k"}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// entryOf reads fields.
func entryOf(id string, f []string) (e hallpass.Entry, err error) {
	if len(f) < fieldCount {
		return e, errDamaged
	}
	d := decoder{rest: f[0]}
	if form := d.text(); form != fixedForm {
		return e, fmt.Errorf("%w: form %q", errDamaged, form)
	}
	e.ID = id
	e.Scope, e.Mode, e.Subject = hallpass.Scope(d.text()), hallpass.Mode(d.text()), d.text()
	if data := d.text(); data != "" {
		e.Data = []byte(data)
	}
	e.Recipient, e.Batch, e.Target, e.Key, e.Browser = d.text(), d.text(), d.text(), d.text(), d.text()
	e.IssuedAt, e.NotBefore, e.Recorded = d.time(), d.time(), d.text() == "1"
	n, err := strconv.Atoi(d.text())
	if err != nil {
		return e, errDamaged
	}
	for i := 0; i < n && d.err == nil; i++ {
		e.Grants = append(e.Grants, hallpass.Grant{Method: d.text(), Path: d.text(), Exact: d.text() == "1"})
	}
	var errs [6]error
	e.MaxUses, errs[0] = strconv.ParseInt(f[1], 10, 64)
	e.Used, errs[1] = strconv.ParseInt(f[2], 10, 64)
	e.Refunds, errs[2] = strconv.ParseInt(f[3], 10, 64)
	e.RevokedAt, errs[3] = parseStamp(f[4])
	e.ExpiresAt, errs[4] = parseStamp(f[5])
	e.KeepUntil, errs[5] = parseStamp(f[6])
	if err := errors.Join(append(errs[:], d.err)...); err != nil {
		return e, errDamaged
	}
	return e, nil
}

// letters are the states of a use.
var letters = map[hallpass.UseState]string{
	hallpass.UsePending: "p", hallpass.UseSettled: "s", hallpass.UseRefunded: "r",
	hallpass.UseForwarded: "f", hallpass.UseUnknown: "u",
}

// useParts are a use as text, "state|status|nonce|used|length of key|key" and the
// rest, without the count of the pass between them.
func useParts(u *hallpass.Use, nonce string) (head, tail string) {
	head = letters[u.State] + "|" + strconv.Itoa(u.Status) + "|" + nonce + "|"
	b := encoder("|" + strconv.Itoa(len(u.Key)) + "|" + u.Key)
	for _, s := range []string{u.Subject, stamp(u.At), u.ClientIP, u.UserAgent, u.Method, u.Path} {
		b.text(s)
	}
	return head, string(b)
}

// useOf reads a use.
func useOf(pass, id, text string) (u hallpass.Use, err error) {
	parts := strings.SplitN(text, "|", 6)
	if len(parts) < 6 {
		return u, errDamaged
	}
	u.Pass, u.ID = pass, id
	for state, letter := range letters {
		if letter == parts[0] {
			u.State = state
		}
	}
	status, err := strconv.Atoi(parts[1])
	length, err2 := strconv.Atoi(parts[4])
	if err != nil || err2 != nil || length < 0 || length > len(parts[5]) || u.State == "" {
		return u, errDamaged
	}
	u.Status, u.Key = status, parts[5][:length]
	d := decoder{rest: parts[5][length:]}
	u.Subject, u.At, u.ClientIP, u.UserAgent, u.Method, u.Path = d.text(), d.time(), d.text(), d.text(), d.text(), d.text()
	return u, d.err
}

// useMember is a use in the index of all of them: its id, its time, its pass, and
// the length of its id.
func useMember(pass string, u *hallpass.Use) string {
	return u.ID + "\x00" + position(u.At) + useClaim(pass, u.ID)
}

func useClaim(pass, id string) string { return pass + fmt.Sprintf("%04x", len(id)&0xffff) }

// parseUseMember reads a useMember.
func parseUseMember(m string) (pass, id string, at time.Time, err error) {
	if len(m) < 4 {
		return "", "", at, errDamaged
	}
	n, err := strconv.ParseUint(m[len(m)-4:], 16, 16)
	if err != nil || int(n)+1+stampLength+4 > len(m) {
		return "", "", at, errDamaged
	}
	at, err = parseStamp(m[n+1 : n+1+stampLength])
	return m[n+1+stampLength : len(m)-4], m[:n], at, err
}
