package doctor

import "context"

// Check is a question to a set-up.
type Check struct {
	Name        string
	Question    string
	LikelyCause string // what a fault usually is
}

// check is one with its answer. It runs if none of the checks it needs failed or was skipped.
type check struct {
	Check
	needs []string
	run   func(context.Context) []Result
}

// Checks lists the questions in the order in which they are asked.
func Checks() []Check {
	var all []Check
	for _, c := range new(run).checks() {
		all = append(all, c.Check)
	}
	return append(all, cleaning)
}

// storeAnswers is what every check needs that asks the store, until one of them has waited in vain.
const storeAnswers = "an answer of the store"

// checks are all questions but cleaning, in an order in which each stands on the ones before it. Those that
// ask no store come first: no slow store keeps them from an answer.
func (e *run) checks() []check {
	remote := func(c Check, run func(context.Context) []Result, needs ...string) check {
		return check{c, append(needs, storeAnswers), run}
	}
	return []check{
		{Check{"settings", "are the variables complete and sound?", "a placeholder, keys that are swapped, the bucket in the endpoint"}, nil, e.checkSettings},
		{Check{"https", "do certificate and key match, hold, and suit the page's host?", "an expired certificate, one without its issuer's"}, nil, e.checkHTTPS},
		{Check{"browsers", "do browsers find the store, and let the page send to it?", "an https page and an http store, a store on loopback"}, []string{"settings"}, e.checkBrowsers},
		{Check{"client_conf.js", "does it agree with the server's settings and routes, and will it be signed?", "the option or the line is named"}, []string{"settings"}, e.checkClientConf},
		{Check{"bundle", "is Fine Uploader there, in the right version?", "make static was not run"}, nil, e.checkBundle},
		{Check{"page", "does the server start, with a page that is whole and keeps its own policy?", "a file that is gone, a script of another site"}, []string{"settings"}, e.checkPage},
		remote(Check{"endpoint", "does an S3 store answer at AWS_ENDPOINT, with a certificate that is trusted?", "host, port, http or https; the console's port; a proxy"}, e.checkEndpoint, "settings"),
		remote(Check{"clock", "is it the store's, to 15 minutes?", "no NTP"}, e.checkClock, "endpoint"),
		remote(Check{"region", "is it the bucket's?", "AWS_REGION"}, e.checkRegion, "clock"),
		remote(Check{"keys", "does the store know the pair?", "the half that is named, a suspended user, a proxy that changes the host"}, e.checkKeys, "region"),
		remote(Check{"bucket", "is it there?", "its name; the names that are there are told if they are few"}, e.checkBucket, "keys"),
		remote(Check{"upload permission", "may the key upload and abort?", "somebody else's bucket, a policy that is too narrow"}, e.checkUploadPermission, "bucket"),
		remote(Check{"versions", "could what is written here be removed without a trace?", "no fault: without, nothing is written"}, e.checkVersions, "upload permission"),
		remote(Check{"delete permission", "may the key delete?", "a policy that is too narrow"}, e.checkDeletePermission, "versions"),
		remote(Check{"addressing", "does the style of address that is set work?", "P3S3F_ADDRESSING; BUCKET.HOST without a name or a certificate"}, e.checkAddressing, "upload permission"),
		remote(Check{"signatures", "which versions does the store take, for requests and for forms?", "P3S3F_SIGNATURE_VERSION, a proxy, a policy without the bucket itself"}, e.checkSignatures, "addressing"),
		remote(Check{"cors preflights", "may a page of each origin send what Fine Uploader sends?", "no rules; a method, a header or an origin that is missing; a proxy"}, e.checkPreflights, "addressing"),
		remote(Check{"form upload", "does a file arrive in one piece, under a key in Unicode?", "the store's log knows"}, e.checkForm, "delete permission", "signatures"),
		remote(Check{"cors answers", "may the page read every answer, and the ETag of parts?", "ExposeHeader, a proxy"}, e.checkAnswers, "signatures", "cors preflights"),
		remote(Check{"multipart upload", "does a file arrive in two parts?", "a quota, a proxy's limit"}, e.checkMultipart, "form upload"),
		remote(Check{"look-up", "does the server see an upload, as it was sent?", "s3:GetObject, a proxy"}, e.checkLookUp, "form upload"),
		remote(Check{"earlier uploads", "may the key list what the page shows of earlier uploads?", "s3:ListBucket"}, e.checkList, "bucket"),
		remote(Check{"no MIME type", "are files without a known type taken?", "an old radosgw"}, e.checkNoType, "form upload"),
		remote(Check{"encryption", "is encrypted what client_conf.js wants encrypted?", "not set up"}, e.checkEncryption, "form upload"),
		remote(Check{"storage class", "is stored in the class what client_conf.js wants in it?", "not set up"}, e.checkStorageClass, "form upload"),
		remote(Check{"unsigned headers", "does the store obey headers that a V4 signature does not cover?", "Ceph, MinIO; see docs/security.md"}, e.checkUnsigned, "form upload"),
		remote(Check{"delete", "can the server delete an upload, and is it gone?", "retention rules"}, e.checkDelete, "form upload"),
		remote(Check{"permissions", "may the key do more than it needs?", "a root or admin key"}, e.checkExcess, "bucket"),
	}
}

// cleaning is asked last, whatever happens.
var cleaning = Check{"clean-up", "is everything gone again?", "what stays is named"}
