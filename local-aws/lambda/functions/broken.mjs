/** Cannot even be loaded. */
import 'a-package-that-is-not-installed';

export const handler = async () => 'never';
