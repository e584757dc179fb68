package mail

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hallpass-go/hallpass"
)

// outboxPurpose separates the keys that seal jobs from all others.
const outboxPurpose = "mail-outbox"

// outboxShards is how many groups the jobs are spread over, so that no single one
// takes all writes. All processes must agree on it.
const outboxShards = 16

// outboxKey is a job's key within its group. The id is hashed because it may say
// something, such as an address, that does not belong into a store or a log.
func outboxKey(id string) string {
	sum := sha256.Sum256([]byte("hallpass outbox\x00" + id))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// outboxShard takes the shard from the key, so that a key has one place only.
func outboxShard(key string) int {
	sum := sha256.Sum256([]byte(key))
	return int(sum[0]) % outboxShards
}

func outboxGroup(name string, shard int) string { return fmt.Sprintf("%s/%x", name, shard) }

// outboxRecord is the value of an open job's cell. A cell without a value is a
// job that is done. Times are microseconds since 1970.
type outboxRecord struct {
	// Form is outboxForm; a record of another form is left to newer programs.
	Form     int   `json:"v"`
	PutAt    int64 `json:"at"`
	Deadline int64 `json:"deadline"`
	// Due is when anybody may take the job: the end of the lease where there is an
	// Owner, else of the wait after a failure.
	Due      int64  `json:"due"`
	Owner    string `json:"owner,omitempty"`
	Failures int    `json:"failures,omitempty"`
	// Unsure says that an attempt may have sent it without hearing so.
	Unsure bool `json:"unsure,omitempty"`
	// Sealed is the job. It is sealed once, by Put; whoever claims the job later
	// copies it as it is.
	Sealed []byte `json:"job"`
}

const outboxForm = 1

var errOutboxRecord = errors.New("not a job this program can read")

func decodeOutboxRecord(value []byte) (outboxRecord, error) {
	var r outboxRecord
	if err := json.Unmarshal(value, &r); err != nil || r.Form != outboxForm {
		// The cause would quote what is in the cell.
		return outboxRecord{}, errOutboxRecord
	}
	return r, nil
}

func (r outboxRecord) encode() ([]byte, error) { return json.Marshal(r) }

func (r outboxRecord) putAt() time.Time    { return time.UnixMicro(r.PutAt).UTC() }
func (r outboxRecord) deadline() time.Time { return time.UnixMicro(r.Deadline).UTC() }
func (r outboxRecord) due() time.Time      { return time.UnixMicro(r.Due).UTC() }

// keepUntil is the end of the open job's cell. It lies behind the deadline, so
// that somebody can say that the job was given up; when nobody is there to say it,
// the job leaves all the same.
func (r outboxRecord) keepUntil() time.Time { return r.deadline().Add(time.Hour) }

// doneUntil is how long a job that is done is remembered, so that putting it again
// does nothing: until its deadline, but an hour at most. The minute is for the
// other processes' look into the store.
func (r outboxRecord) doneUntil(now time.Time) time.Time {
	end := r.deadline()
	if limit := now.Add(time.Hour); end.After(limit) {
		end = limit
	}
	if least := now.Add(time.Minute); end.Before(least) {
		end = least
	}
	return end
}

// binding is what a sealed job is bound to: moved to another id or group, or given
// another deadline, it does not open.
func (r outboxRecord) binding(group, key string) []byte {
	b := []byte("hallpass outbox job\x00" + group + "\x00" + key + "\x00")
	return binary.BigEndian.AppendUint64(b, uint64(r.Deadline))
}

// seal puts the job into the record, under the newest key.
func (r *outboxRecord) seal(keys *hallpass.Keyring, group, key string, job []byte) error {
	secrets, err := keys.Derive(outboxPurpose)
	if err != nil {
		return err
	}
	if len(secrets) == 0 {
		return errors.New("there is no key to seal the job with")
	}
	aead, err := outboxAEAD(secrets[0])
	if err != nil {
		return err
	}
	r.Sealed = aead.Seal(nil, nil, job, r.binding(group, key))
	return nil
}

var errOutboxSealed = errors.New("no key of the ring opens it")

// open returns the job.
func (r outboxRecord) open(keys *hallpass.Keyring, group, key string) ([]byte, error) {
	secrets, err := keys.Derive(outboxPurpose)
	if err != nil {
		return nil, err
	}
	binding := r.binding(group, key)
	for _, secret := range secrets {
		aead, err := outboxAEAD(secret)
		if err != nil {
			return nil, err
		}
		if job, err := aead.Open(nil, nil, r.Sealed, binding); err == nil {
			return job, nil
		}
	}
	return nil, errOutboxSealed
}

// outboxAEAD is AES-256-GCM with a random nonce in front of what it seals (NIST
// SP 800-38D section 8.2.2: good for 2^32 jobs under one key).
func outboxAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
