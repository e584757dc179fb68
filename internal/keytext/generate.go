package keytext

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
)

// Generate makes a new key for HS256 (32 random bytes), EdDSA or ES256. It has
// no ID; see Fingerprint.
func Generate(algorithm string) (Material, error) {
	switch algorithm {
	case HS256:
		secret := make([]byte, minSecret)
		rand.Read(secret) // never fails
		return Material{Algorithm: HS256, Secret: secret}, nil
	case EdDSA:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return Material{}, err
		}
		return Material{Algorithm: EdDSA, Private: private, Public: public}, nil
	case ES256:
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return Material{}, err
		}
		return Material{Algorithm: ES256, Private: private, Public: &private.PublicKey}, nil
	default:
		return Material{}, errors.New("the algorithm must be HS256, EdDSA or ES256")
	}
}
