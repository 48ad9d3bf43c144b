package cli

import (
	"context"
	"fmt"
	"time"

	"s3-sign-srv/internal/apierror"
	"s3-sign-srv/internal/ledger"
)

// ready returns what /readyz checks: that ctx, which ends with a signal, has not ended, that the certificate is valid,
// and that the database responds, if there is one and every signature needs it.
func (l *listener) ready(serving context.Context, records *ledger.Ledger) func(context.Context) error {
	return func(ctx context.Context) error {
		switch {
		case serving.Err() != nil:
			return apierror.New(apierror.Unavailable, "The server is shutting down.")
		case l.certificate != nil && time.Now().After(l.certificate.expiry()):
			return apierror.New(apierror.Unavailable, fmt.Sprintf("The certificate in P3S3F_SRV_CRT expired on %s; renew it.",
				l.certificate.expiry().Format(time.DateOnly)))
		case records != nil && l.cfg.DatabaseRequired:
			return records.Ping(ctx)
		}
		return nil
	}
}
