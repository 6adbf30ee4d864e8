import { keepCompiled } from './config/compile-cache';

// For its effect, before the imports that it is to speed up; the settings are read only after them.
// eslint-disable-next-line no-restricted-syntax -- what reads the settings is what is to be compiled
keepCompiled(process.env['DATA_DIR'] ?? '.data');
