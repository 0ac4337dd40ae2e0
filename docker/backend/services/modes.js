'use strict';

/** The backend's two modes, by the names the page shows. */
const MODES = Object.freeze({ SPARK: 'SparkSession', DIRECT: 'Direct Access' });

const SHORT_NAMES = new Map(
  Object.entries({
    spark: MODES.SPARK,
    sparksession: MODES.SPARK,
    direct: MODES.DIRECT,
    directaccess: MODES.DIRECT,
  }),
);

/**
 * @param {unknown} text any case; `spark` and `direct` will do
 * @returns {string | undefined} one of MODES
 */
function parseMode(text) {
  if (typeof text !== 'string') return undefined;
  return SHORT_NAMES.get(text.toLowerCase().replace(/[ _-]/g, ''));
}

module.exports = { MODES, parseMode };
