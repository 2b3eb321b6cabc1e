// `npm start`: installs what is missing, builds what is stale, then becomes the server (same process, same flags).
import { build, checkNode, ensureDependencies } from './setup.mjs';

checkNode();
ensureDependencies();
build();
await import('../packages/server/dist/main.js');
