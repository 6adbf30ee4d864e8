import type { Settings } from './config/env';
import { SettingsError } from './config/settings-error';

/** Installed by whoever wants traces: 28 MB that nobody else needs. */
const PACKAGES = ['@opentelemetry/sdk-trace-node', '@opentelemetry/exporter-trace-otlp-http', '@opentelemetry/resources'] as const;

/**
 * Registers OpenTelemetry's SDK, which sends spans to the collector of `OTEL_EXPORTER_OTLP_ENDPOINT`; the SDK reads its other settings of
 * that name by itself (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * @returns sends what is left, and ends it
 * @throws SettingsError where its packages are not installed
 */
export function startTracing({ tracing }: Pick<Settings, 'tracing'>): () => Promise<void> {
  if (!tracing) return () => Promise.resolve();
  try {
    /* eslint-disable @typescript-eslint/no-require-imports -- only where they are wanted */
    const { NodeTracerProvider, BatchSpanProcessor } =
      require('@opentelemetry/sdk-trace-node') as typeof import('@opentelemetry/sdk-trace-node');
    const { OTLPTraceExporter } =
      require('@opentelemetry/exporter-trace-otlp-http') as typeof import('@opentelemetry/exporter-trace-otlp-http');
    const { resourceFromAttributes, defaultResource } = require('@opentelemetry/resources') as typeof import('@opentelemetry/resources');
    /* eslint-enable @typescript-eslint/no-require-imports */
    const provider = new NodeTracerProvider({
      resource: defaultResource().merge(resourceFromAttributes({ 'service.name': tracing.serviceName })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    provider.register();
    return () => provider.shutdown();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new SettingsError([`OTEL_EXPORTER_OTLP_ENDPOINT is set, and its packages are not installed: npm install ${PACKAGES.join(' ')}`]);
  }
}
