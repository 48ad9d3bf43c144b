package doctor

import "context"

// Check is a question about a setup.
type Check struct {
	Name        string
	Question    string
	LikelyCause string // of a failure
}

// check is a Check with the function that runs it, unless one of the checks it needs did not pass.
type check struct {
	Check
	needs []string
	run   func(context.Context) []Result
}

// Checks lists the checks in the order in which they run.
func Checks() []Check {
	var all []Check
	for _, c := range new(run).checks() {
		all = append(all, c.Check)
	}
	return append(all, cleanupCheck)
}

// storeResponds is what every check of the store needs, until one of them has timed out.
const storeResponds = "a response of the store"

// cleanupCheck runs last, in any case.
var cleanupCheck = Check{"clean-up", "Are all test objects removed?", "their prefix is named"}

// checks returns all checks but the last, each after those that it needs. Those that send nothing to the store come
// first, so that a slow store does not delay them.
func (r *run) checks() []check {
	settings := []string{"settings"}
	store := func(c Check, run func(context.Context) []Result, needs ...string) check {
		return check{c, append(needs, storeResponds), run}
	}
	return []check{
		{Check{"settings", "Are all variables set and valid?",
			"a placeholder, swapped keys, the bucket in the endpoint"}, nil, r.checkSettings},
		{Check{"browsers", "Can browsers reach the store, and may the page send to it?",
			"an https page with an http store, a store on loopback"}, settings, r.checkBrowsers},
		{Check{"client_conf.js", "Does it agree with the server, and are its requests signed?",
			"the named option or line"}, settings, r.checkClientConf},
		store(Check{"endpoint", "Does an S3 store respond at AWS_ENDPOINT, with a trusted certificate?",
			"host, port, http or https; the console's port; a proxy"}, r.checkEndpoint, "settings", "client_conf.js"),
		store(Check{"clock", "Is the clock within 15 minutes of the store's?", "no NTP"}, r.checkClock, "endpoint"),
		store(Check{"region", "Is the region that of the bucket?", "AWS_REGION"}, r.checkRegion, "clock"),
		store(Check{"keys", "Does the store accept the keys?",
			"the key that is named, a suspended user, a proxy that changes the host"}, r.checkKeys, "region"),
		store(Check{"bucket", "Does the bucket exist?",
			"its name; if there are few buckets, their names are listed"}, r.checkBucket, "keys"),
		store(Check{"upload permission", "May the key upload and abort?",
			"another user's bucket, a policy that is too narrow"}, r.checkUploadPermission, "bucket"),
		store(Check{"versions", "Can test objects be removed completely?",
			"not an error: if they cannot, nothing is written"}, r.checkVersions, "upload permission"),
		store(Check{"delete permission", "May the key delete?",
			"a policy that is too narrow"}, r.checkDeletePermission, "versions"),
		store(Check{"addressing", "Does the configured addressing style work?",
			"P3S3F_ADDRESSING; BUCKET.HOST without a DNS name or a certificate"}, r.checkAddressing, "upload permission"),
		store(Check{"signatures", "Which signature versions does the store accept, for requests and for forms?",
			"P3S3F_SIGNATURE_VERSION, a proxy, a policy without the bucket itself"}, r.checkSignatures, "addressing"),
		store(Check{"cors preflights", "May a page of each origin send what Fine Uploader sends?",
			"no rules; a missing method, header or origin; a proxy"}, r.checkPreflights, "addressing"),
		store(Check{"form upload", "Can a small file be uploaded, under a key in Unicode?",
			"see the store's log"}, r.checkForm, "delete permission", "signatures"),
		store(Check{"cors responses", "May the page read every response, and the ETag of parts?",
			"ExposeHeader, a proxy"}, r.checkCORSResponses, "signatures", "cors preflights"),
		store(Check{"multipart upload", "Can a file be uploaded in two parts?",
			"a quota, a proxy's limit"}, r.checkMultipart, "form upload", "cors responses"),
		store(Check{"look-up", "Does the server see an upload as it was sent?",
			"s3:GetObject, a proxy"}, r.checkLookUp, "form upload"),
		store(Check{"earlier uploads", "May the key list earlier uploads for the page?",
			"s3:ListBucket"}, r.checkList, "bucket"),
		store(Check{"no MIME type", "Are files without a known type accepted?",
			"an old radosgw"}, r.checkNoType, "form upload"),
		store(Check{"encryption", "Is encryption applied if client_conf.js requests it?",
			"not set up in the store"}, r.checkEncryption, "form upload"),
		store(Check{"storage class", "Is the storage class applied if client_conf.js requests it?",
			"not set up in the store"}, r.checkStorageClass, "form upload"),
		store(Check{"unsigned headers", "Does the store obey headers that a V4 signature does not cover?",
			"Ceph before 19.2.6 and 20.2.4, MinIO; see docs/security.md"}, r.checkUnsigned, "form upload", "cors responses"),
		store(Check{"delete", "Can the server delete an upload, and is it gone afterwards?",
			"retention rules"}, r.checkDelete, "form upload"),
		store(Check{"permissions", "May the key do more than it needs?",
			"a root or admin key"}, r.checkExcess, "bucket"),
	}
}
