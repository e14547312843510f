package cli

import (
	"io"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLoggers returns the process's own logger and that of the libraries it is made of. Level debug shows every packet, info
// every answer; format is json or console. What a library says in the normal course of things is shown at level debug
// only: it repeats in other words what is said here.
func newLoggers(w io.Writer, level, format string) (own, library logr.Logger) {
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoding.TimeKey = "time"
	encoder := zapcore.NewJSONEncoder(encoding)
	if format == "console" {
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	threshold := map[string]zapcore.Level{"debug": zapcore.DebugLevel, "info": zapcore.InfoLevel, "error": zapcore.ErrorLevel}[level]
	core := zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), threshold)
	logger := zap.New(core)
	quiet := logger
	if level != "debug" {
		quiet = logger.WithOptions(zap.IncreaseLevel(zapcore.ErrorLevel))
	}
	return zapr.NewLogger(logger), zapr.NewLogger(quiet)
}
