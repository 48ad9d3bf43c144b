package cli

import (
	"log/slog"
	"net"
	"net/http"

	"s3-sign-srv/internal/config"
	"s3-sign-srv/internal/metrics"
)

// listenForMetrics returns nil without P3S3F_METRICS_ADDRESS.
func listenForMetrics(cfg config.Config) (net.Listener, error) {
	if cfg.MetricsAddress == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", cfg.MetricsAddress)
	if err != nil {
		const setting = "P3S3F_METRICS_ADDRESS"
		return nil, listenError(setting, setting, cfg.MetricsAddress, err)
	}
	return l, nil
}

// serveMetrics serves m at /metrics of P3S3F_METRICS_ADDRESS, if it is set, until stop is called.
func (l *listener) serveMetrics(m *metrics.Metrics, log, startLog *slog.Logger) (stop func()) {
	if l.metrics == nil {
		return func() {}
	}
	if l.certificate != nil {
		m.AddGauge("certificate_expiry_timestamp_seconds", "End of the certificate in P3S3F_SRV_CRT, in Unix time.",
			func() float64 { return float64(l.certificate.expiry().Unix()) })
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	srv := newServer(mux)
	srv.ErrorLog = httpLog(log)
	go srv.Serve(l.metrics)
	startLog.Info("serving metrics", "address", "http://"+l.metrics.Addr().String()+"/metrics")
	return func() { srv.Close() }
}
