package keytext

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// knownTexts are secrets that are printed in public places and tried first by
// whoever guesses: the SHA-256 of the text in lower case without white space
// around it. Hashes keep this file from being one more such place, and from
// setting off secret scanners.
var knownTexts = map[string]bool{
	"f7d838701b86c5dfb57bf95fbc5ce6df204cfc9f15ad6cdb39fd22f8776e47b6": true, // jwt.io, its default for HS256 until 2025
	"dfd7dc439654f313f3bb7734b467e71d701b6982cd4cb31cf7d555e723c223e9": true, // jwt.io, HS384
	"5eef83fe7cb71e2da053f846a07ecf933f49b66ef755ef8627be5e2fe94d7e84": true, // jwt.io, HS512
	"465d9ad5d5528ebe287b5dce4fb51620833d09b290e49ddcc70ca6c4a0aea01b": true, // jwt.io, its default for HS256 since 2025
	"730d21a80e61a8de82d12cb4c0b8057cff5a30e2dec50ce7a773513374f9164a": true, // jwt.io, HS384
	"db6833593279d7373592ef70e51f3daf048c04475739f8ed024b0821fd9e7fde": true, // jwt.io, HS512
	"570dad43de1af4c925f92c16a68a50936da42b7dd6fdeb24850507a1199aac89": true, // the FastAPI tutorial
	"2b1fa627178e3424e20ffd0e18b7440c322ad538d3c96aef1e3f60d99951c23c": true, // Spring Boot tutorials
	"1453cea2dc3799e9026e42b3e465e455256d5a149582e4c5b92d4c8d604731a2": true, // Supabase self-hosting
	"c1d2e8726375f11fda33d032c5d84eec753aba4bad251dfdfaf8bdd8c4d26243": true, // RFC 7515 A.1, the text taken for the key
	"03cf6dc15510c178079793372edd09e634ac49f4cae267b3e4191a5141f2a46e": true, // RFC 7520 3.5, the text taken for the key

	// The first guesses: "secret", "my-secret-key", "password", the alphabet,
	// the digits and their like.
	"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b": true,
	"ad165b11320bc91501ab08613cc3a48a62a6caca4d5c8b14ca82cc313b3b96cd": true,
	"85dbe15d75ef9308c7ae0f33c7a324cc6f4bf519a2ed2f3027bd33c140a4f9aa": true,
	"6523e58bc0eec42c31b9635d5e0dfc23b6d119b73e633bf3a5284c79bb4a1ede": true,
	"652c7dc687d98c9889304ed2e408c74b611e86a40caa51c4b43f1dd5913c5cd0": true,
	"186ef76e9d6a723ecb570d4d9c287487d001e5d35f7ed4a313350a407950318e": true,
	"1311f8fc80a7ea28d78dd7723f09c44c1754cd35160ca8e7133ae3d7f636a19a": true,
	"f75778f7425be4db0369d09af37a6c2b9a83dea0e53e7bd57412e4b060e607f7": true,
	"aec8084845b41a6952d46cbaa1c9b798659487ffd133796d95d05ba45d9096c2": true,
	"e706386a58190ee13247ffc85c07f5fee617aed1e339cd935e64bab32bfe8fc8": true,
	"048af2438891a89a3536ac09cc96ccbd34a1714e88cf8fdb63e6186dcc3ff89d": true,
	"a9ee59cf6f8bbd8bbe2485119bdb7b7334db052ac99a1a69a04c0efdd892fece": true,
	"ef1ea5dd2b28d2c127ffb41c522ac19787f408c19195cc2bebb41e227f664e86": true,
	"dd8d38af8ca3b7e5cc8990aecfd9bf8ee8d30491fbcdcc53aafd53453ce03e7c": true,
	"f44ef9e360834c4e49dc3cc321d8fa6f9750212362e90166e0c4bcd99d87e81a": true,
	"e88040e7d0052eeb5dcf0fd834e4835ff329b275e6a9889058e8d16c38da9514": true,
	"5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8": true,
	"8f0e2f76e22b43e2855189877e7dc1e1e7d98c226c95db247cd1d547928334a9": true,
	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": true,
	"c296df5ee4e5b58987527f2e0e2f9e9b57723428220ab3c73c11837d23c7cf4f": true,
	"e1b85b27d6bcb05846c18e6a48f118e89f0c0587140de9fb3359f8370d0dba08": true,
	"3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9": true,
	"f6d527e6d01865481134f29788be2afe7fc3c702e1a55d7ceafac5f35199e8dc": true,
	"653bb1245e828fcda4fa53fcd5a3def5bd7654e651f54b4132b73d74e64435c4": true,
}

// knownSecrets are the same for secrets that are bytes: their SHA-256.
var knownSecrets = map[string]bool{
	"c8ecc9361a05e285f04c26f9572131a6deab07e9e2b865053c6f75a4d8bd2b32": true, // RFC 7515 A.1 and RFC 7517 A.3
	"7df6f598d8f385bd68522c724bc9ed483b731af4f65fea03b70da07b16925093": true, // RFC 7517 A.3
	"73ec74458059c70cae3f0ade8663fe0da1dc4b114ed8cdac75364140b4458a4c": true, // RFC 7520 3.5
}

// knownKeys are key pairs whose private half is public, by their RFC 7638
// thumbprint, which is the same for both halves.
var knownKeys = map[string]bool{
	"SXe2Hzz02Qkv50T3Ax0XR-eAx1HA-gqRuJkrKnop3Bw": true, // jwt-email-auth, its default SIGNING_KEY
	"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U": true, // RFC 7515 A.3
	"cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s": true, // RFC 7517 A.2
	"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": true, // RFC 8037 A.1 and RFC 8032 7.1 test 1
	"FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk": true, // RFC 8032 7.1 test 2
	"FVV5umTuau890q59V-4Ga_R6qWb7ON_ivJc4EjvCwTM": true, // RFC 8032 7.1 test 3
	"9ZP03Nu8GrXPAUkbKNxHOKBzxPX83SShgFkRNK-f2lw": true, // Ed25519, all zeros
	"xx0BcA-wMohw8atYDJOe6peGModklG2wRHBlXHMvl0M": true, // P-256, the private key 1
	"19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8": true, // jwt.io, its example for ES256
}

// knownPrefixes begin secrets that their makers meant to be replaced. They are
// compared without case, hyphens, underscores, dots and spaces.
var knownPrefixes = []string{
	"djangoinsecure", // django-insecure-, from Django's startproject; but see CheckForeign
	"changeme",
	"changethis",
	"changeit", // the password of Java key stores
}

// isKnown reports whether anybody could know this key.
func isKnown(m Material) bool {
	if m.Secret == nil {
		return knownKeys[Fingerprint(m)]
	}
	text := strings.ToLower(strings.TrimSpace(string(m.Secret)))
	if knownSecrets[sha256Hex(string(m.Secret))] || knownTexts[sha256Hex(text)] {
		return true
	}
	plain := strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(text)
	for _, prefix := range knownPrefixes {
		if strings.HasPrefix(plain, prefix) {
			return true
		}
	}
	return false
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// smallOrderPoints are the y coordinates, in hexadecimal and without the sign
// bit, of the Ed25519 points whose order divides 8, in each spelling that
// decodes. For such a key signatures can be made without any private half
// (RFC 8032 section 5.1.7 does not ask verifiers to notice).
var smallOrderPoints = map[string]bool{
	"0000000000000000000000000000000000000000000000000000000000000000": true, // order 4
	"0100000000000000000000000000000000000000000000000000000000000000": true, // order 1
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05": true, // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a": true, // order 8
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f": true, // order 2
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f": true, // order 4, y = p
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f": true, // order 1, y = p + 1
}

func smallOrder(point []byte) bool {
	unsigned := append([]byte(nil), point...)
	unsigned[len(unsigned)-1] &= 0x7f
	return smallOrderPoints[hex.EncodeToString(unsigned)]
}
