package hallpass

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"io"
	"time"
)

// newUUID returns a UUIDv7 (RFC 9562 section 5.7) for a moment of our own
// clock: 48 bits of milliseconds, 12 of the fraction of a millisecond, 62 of
// randomness. Ids of different microseconds sort in their order, which keeps the
// stores' indexes dense.
func newUUID(now time.Time) string { return drawUUID(now, rand.Reader) }

// drawUUID is newUUID with the randomness of a reader that never fails.
func drawUUID(now time.Time, random io.Reader) string {
	var b [16]byte
	_, _ = io.ReadFull(random, b[8:])
	micros := now.UnixMicro()
	fraction := uint16(micros % 1000 * 4096 / 1000)
	binary.BigEndian.PutUint64(b[:8], uint64(micros/1000)<<16|uint64(fraction))
	return formatUUID(b, 7)
}

func formatUUID(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	out[8] = '-'
	hex.Encode(out[9:13], b[4:6])
	out[13] = '-'
	hex.Encode(out[14:18], b[6:8])
	out[18] = '-'
	hex.Encode(out[19:23], b[8:10])
	out[23] = '-'
	hex.Encode(out[24:36], b[10:16])
	return string(out[:])
}

// parseUUID reads the canonical lower-case form.
func parseUUID(s string) (b [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, false
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	for i := 0; i < len(digits); i++ {
		if c := digits[i]; unhex(c) < 0 || (c >= 'A' && c <= 'F') {
			return b, false
		}
	}
	_, err := hex.Decode(b[:], []byte(digits))
	return b, err == nil
}

// uuidTime returns the moment a UUIDv7 was made, to the millisecond.
func uuidTime(id string) (time.Time, bool) {
	b, ok := parseUUID(id)
	if !ok || b[6]>>4 != 7 || b[8]>>6 != 2 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8]) >> 16)).UTC(), true
}

// firstID is the lowest UUIDv7 of a moment: where a range of ids begins. It is
// empty for the zero time.
func firstID(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return drawUUID(t, zeros{})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
