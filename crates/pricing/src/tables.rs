//! Constants of the exponential and the logarithm; a test recomputes every one in high precision.

/// `2^(j/128)` with 63 fractional bits.
#[rustfmt::skip]
pub(crate) const EXP2_STEPS: [u64; 128] = [
    0x8000_0000_0000_0000, 0x80b1_ed4f_d999_ab6c, 0x8164_d1f3_bc03_0773, 0x8218_af43_73fc_25ec,
    0x82cd_8698_ac2b_a1d7, 0x8383_594e_efb6_ee37, 0x843a_28c3_acde_4046, 0x84f1_f656_379c_1a29,
    0x85aa_c367_cc48_7b15, 0x8664_915b_923f_ba04, 0x871f_6196_9e8d_1010, 0x87db_357f_f698_d792,
    0x8898_0e80_92da_8527, 0x8955_ee03_618e_5fdd, 0x8a14_d575_496e_fd9a, 0x8ad4_c645_2c72_8924,
    0x8b95_c1e3_ea8b_d6e7, 0x8c57_c9c4_646f_4dde, 0x8d1a_df5b_7e5b_a9e6, 0x8ddf_0420_22e6_9cd6,
    0x8ea4_398b_45cd_53c0, 0x8f6a_8117_e6c8_e5c4, 0x9031_dc43_1466_b1dc, 0x90fa_4c8b_eee4_b12b,
    0x91c3_d373_ab11_c336, 0x928e_727d_9531_f9ac, 0x935a_2b2f_13e6_e92c, 0x9426_ff0f_ab1c_04b6,
    0x94f4_efa8_fef7_0961, 0x95c3_fe86_d6cc_7fef, 0x9694_2d37_2018_5a00, 0x9765_7d49_f17a_b08e,
    0x9837_f051_8db8_a96f, 0x990b_87e2_66c1_89aa, 0x99e0_4593_20b7_fa65, 0x9ab6_2afc_94ff_864a,
    0x9b8d_39b9_d54e_5539, 0x9c65_7368_2ec3_2c2d, 0x9d3e_d9a7_2cff_b751, 0x9e19_6e18_9d47_2420,
    0x9ef5_3260_91a1_11ae, 0x9fd2_2825_6400_dd06, 0xa0b0_510f_b971_4fc2, 0xa18f_aeca_8544_b6e4,
    0xa270_4303_0c49_6819, 0xa352_0f68_e802_bb93, 0xa435_15ae_09e6_809e, 0xa519_5786_be9e_f339,
    0xa5fe_d6a9_b151_38ea, 0xa6e5_94cf_eee8_6b1e, 0xa7cd_93b4_e965_356a, 0xa8b6_d516_7b32_0e09,
    0xa9a1_5ab4_ea7c_0ef8, 0xaa8d_2652_ec90_7629, 0xab7a_39b5_a93e_d337, 0xac68_96a4_be3f_e929,
    0xad58_3eea_42a1_4ac6, 0xae49_3452_ca35_b80e, 0xaf3b_78ad_690a_4375, 0xb02f_0dcb_b6e0_4584,
    0xb123_f581_d2ac_2590, 0xb21a_31a6_6618_fe3b, 0xb311_c412_a911_2489, 0xb40a_aea2_654b_9841,
    0xb504_f333_f9de_6484, 0xb600_93a8_5ed5_f76c, 0xb6fd_91e3_28d1_7791, 0xb7fb_efca_8ca4_1e7c,
    0xb8fb_af47_62fb_9ee9, 0xb9fc_d245_2c0b_9deb, 0xbaff_5ab2_133e_45fb, 0xbc03_4a7e_f2e9_fb0d,
    0xbd08_a39f_580c_36bf, 0xbe0f_6809_8609_93e2, 0xbf17_99b6_7a73_1083, 0xc021_3aa1_f0d0_8db0,
    0xc12c_4cca_6670_9456, 0xc238_d231_1e3d_6673, 0xc346_ccda_2497_6407, 0xc456_3ecc_5334_cb33,
    0xc567_2a11_5506_dadd, 0xc679_90b5_aa24_5f79, 0xc78d_74c8_abb9_b15d, 0xc8a2_d85c_8ffe_2c45,
    0xc9b9_bd86_6e2f_27a3, 0xcad2_265e_4290_774e, 0xcbec_14fe_f272_7c5d, 0xcd07_8b86_503d_cdd2,
    0xce24_8c15_1f84_80e4, 0xcf43_18cf_1919_18c1, 0xd063_33da_ef2b_2595, 0xd184_df62_5169_9ac6,
    0xd2a8_1d91_f12a_e45a, 0xd3cc_f099_859a_c379, 0xd4f3_5aab_cfed_fa1f, 0xd61b_5dfe_9f9b_ce07,
    0xd744_fcca_d69d_6af4, 0xd870_394c_6db3_2c84, 0xd99d_15c2_78af_d7b6, 0xdacb_946f_2ac9_cc72,
    0xdbfb_b797_daf2_3755, 0xdd2d_8185_0832_4c20, 0xde60_f482_5e0e_9124, 0xdf96_12de_b8f0_4420,
    0xe0cc_deec_2a94_e111, 0xe205_5aff_fe83_d369, 0xe33f_8972_be8a_5a51, 0xe47b_6ca0_373d_a88d,
    0xe5b9_06e7_7c83_48a8, 0xe6f8_5aaa_ee1f_ce22, 0xe839_6a50_3c4b_dc68, 0xe97c_3840_6c4f_8c57,
    0xeac0_c6e7_dd24_392f, 0xec07_18b6_4c1c_bddc, 0xed4f_301e_d994_2b84, 0xee99_0f98_0da3_025b,
    0xefe4_b99b_dcda_f5cb, 0xf132_30a7_ad09_4509, 0xf281_773c_59ff_b13a, 0xf3d2_8fde_3a64_1a5b,
    0xf525_7d15_2486_cc2c, 0xf67a_416c_733f_846e, 0xf7d0_df73_0ad1_3bb9, 0xf929_59bb_5dd4_ba74,
    0xfa83_b2db_722a_033a, 0xfbdf_ed6c_e5f0_9c49, 0xfd3e_0c0c_f486_c175, 0xfe9e_115c_7b8f_884c,
];

/// Coefficients, highest degree first, of `(2^(t/128) - 1) / t` on `[0, 1]` with 64 fractional bits
/// (a Chebyshev fit with an error below 2^-63).
#[rustfmt::skip]
pub(crate) const EXP2_POLYNOMIAL: [u64; 5] = [
    0x0000_0000_000a_f291, 0x0000_0000_2765_5158, 0x0000_0071_ac23_5e0c, 0x0000_f5fd_effc_15ed,
    0x0162_e42f_efa3_9ef5,
];

/// `1 / (1 + j/128)` with 64 fractional bits, rounded up; entry zero stands for one and is not used.
#[rustfmt::skip]
pub(crate) const RECIPROCALS: [u64; 128] = [
    0xffff_ffff_ffff_ffff, 0xfe03_f80f_e03f_80ff, 0xfc0f_c0fc_0fc0_fc10, 0xfa23_2cf2_5213_8ac0,
    0xf83e_0f83_e0f8_3e10, 0xf660_3d98_0f66_03da, 0xf489_8d5f_85bb_3951, 0xf2b9_d648_0f2b_9d65,
    0xf0f0_f0f0_f0f0_f0f1, 0xef2e_b71f_c434_5239, 0xed73_03b5_cc0e_d731, 0xebbd_b2a5_c161_9c8c,
    0xea0e_a0ea_0ea0_ea0f, 0xe865_ac7b_7603_a197, 0xe6c2_b448_1cd8_568a, 0xe525_982a_f70c_880f,
    0xe38e_38e3_8e38_e38f, 0xe1fc_780e_1fc7_80e2, 0xe070_381c_0e07_0382, 0xdee9_5c4c_a037_ba58,
    0xdd67_c8a6_0dd6_7c8b, 0xdbeb_61ee_d19c_5958, 0xda74_0da7_40da_740e, 0xd901_b203_6406_c80e,
    0xd794_35e5_0d79_435f, 0xd62b_80d6_2b80_d62c, 0xd4c7_7b03_531d_ec0e, 0xd368_0d36_80d3_680e,
    0xd20d_20d2_0d20_d20e, 0xd0b6_9fcb_d258_0d0c, 0xcf64_74a8_819e_c8ea, 0xce16_8a77_2508_0ce2,
    0xcccc_cccc_cccc_cccd, 0xcb87_27c0_65c3_93e1, 0xca45_87e6_b74f_032a, 0xc907_da4e_8711_46ad,
    0xc7ce_0c7c_e0c7_ce0d, 0xc698_0c69_80c6_980d, 0xc565_c87b_5f9d_4d1c, 0xc437_2f85_5d82_4ca6,
    0xc30c_30c3_0c30_c30d, 0xc1e4_bbd5_95f6_e948, 0xc0c0_c0c0_c0c0_c0c1, 0xbfa0_2fe8_0bfa_02ff,
    0xbe82_fa0b_e82f_a0bf, 0xbd69_1047_0766_1aa3, 0xbc52_640b_c526_40bd, 0xbb3e_e721_a54d_880c,
    0xba2e_8ba2_e8ba_2e8c, 0xb921_43fa_36f5_e02f, 0xb817_02e0_5c0b_8171, 0xb70f_bb5a_19be_3659,
    0xb60b_60b6_0b60_b60c, 0xb509_e68a_9b94_8220, 0xb40b_40b4_0b40_b40c, 0xb30f_6352_8917_c80c,
    0xb216_42c8_590b_2165, 0xb11f_d3b8_0b11_fd3c, 0xb02c_0b02_c0b0_2c0c, 0xaf3a_ddc6_80af_3ade,
    0xae4c_415c_9882_b932, 0xad60_2b58_0ad6_02b6, 0xac76_9184_0ac7_6919, 0xab8f_69e2_8359_cd12,
    0xaaaa_aaaa_aaaa_aaab, 0xa9c8_4a47_a07f_5638, 0xa8e8_3f57_17c0_a8e9, 0xa80a_80a8_0a80_a80b,
    0xa72f_0539_7829_cbc2, 0xa655_c439_2d7b_73a8, 0xa57e_b502_95fa_d40b, 0xa4a9_cf1d_9683_3752,
    0xa3d7_0a3d_70a3_d70b, 0xa306_5e3f_ae7c_d0e1, 0xa237_c32b_16cf_d773, 0xa16b_312e_a8fc_377d,
    0xa0a0_a0a0_a0a0_a0a1, 0x9fd8_09fd_809f_d80a, 0x9f11_65e7_2548_13e3, 0x9e4c_ad23_dd5f_3a21,
    0x9d89_d89d_89d8_9d8a, 0x9cc8_e160_c3fb_19b9, 0x9c09_c09c_09c0_9c0a, 0x9b4c_6f9e_f03a_3caa,
    0x9a90_e7d9_5bc6_09aa, 0x99d7_22da_bde5_8f07, 0x991f_1a51_5885_fb38, 0x9868_c809_868c_8099,
    0x97b4_25ed_097b_425f, 0x9701_2e02_5c04_b80a, 0x964f_da6c_0964_fda7, 0x95a0_2568_095a_0257,
    0x94f2_094f_2094_f20a, 0x9445_8094_4580_9446, 0x939a_85c4_0939_a85d, 0x92f1_1384_0497_889d,
    0x9249_2492_4924_924a, 0x91a2_b3c4_d5e6_f80a, 0x90fd_bc09_0fdb_c091, 0x905a_3863_3e06_c43b,
    0x8fb8_23ee_08fb_823f, 0x8f17_79d9_fdc3_a219, 0x8e78_356d_1408_e784, 0x8dda_5202_3769_4809,
    0x8d3d_cb08_d3dc_b08e, 0x8ca2_9c04_6514_e024, 0x8c08_c08c_08c0_8c09, 0x8b70_344a_139b_c75b,
    0x8ad8_f2fb_a938_6823, 0x8a42_f870_5669_db47, 0x89ae_4089_ae40_89af, 0x891a_c73a_e981_9b51,
    0x8888_8888_8888_8889, 0x87f7_8087_f780_87f8, 0x8767_ab5f_34e4_7ef2, 0x86d9_0544_7a34_acc7,
    0x864b_8a7d_e6d1_d609, 0x85bf_3761_2cee_3c9b, 0x8534_0853_4085_3409, 0x84a9_f9c8_084a_9f9d,
    0x8421_0842_1084_2109, 0x8399_3052_3fbe_3368, 0x8312_6e97_8d4f_df3c, 0x828c_bfbe_b9a0_20a4,
    0x8208_2082_0820_8209, 0x8184_8da8_faf0_d278, 0x8102_0408_1020_4082, 0x8080_8080_8080_8081,
];

/// `ln(1 + j/128)` with 64 fractional bits.
#[rustfmt::skip]
pub(crate) const LOGARITHMS: [u64; 128] = [
    0x0000_0000_0000_0000, 0x01fe_02a6_b106_7890, 0x03f8_1516_1f80_7c7a, 0x05ee_46c1_f56c_46aa,
    0x07e0_a6c3_9e0c_c013, 0x09cf_43dc_ff5e_afd5, 0x0bba_2c7b_196e_7e23, 0x0da1_6eb8_8cb8_df61,
    0x0f85_1860_08b1_5331, 0x1165_36ee_a37a_e0e8, 0x1341_d796_1bd1_d093, 0x151b_073f_0618_3f69,
    0x16f0_d28a_e56b_4b9c, 0x18c3_45d6_319b_20f6, 0x1a92_6d3a_4ad5_6365, 0x1c5e_548f_5bc7_4316,
    0x1e27_076e_2af2_e5ea, 0x1fec_9131_dbea_baaa, 0x21ae_fcf9_a11c_b2cd, 0x236e_55aa_5ecf_4052,
    0x252a_a5f0_3fea_4698, 0x26e3_f840_3d1e_e878, 0x289a_56d9_96fa_3cd0, 0x2a4d_cbc7_4368_6f46,
    0x2bfe_60e1_4f27_a791, 0x2dac_1fce_33a4_391b, 0x2f57_1204_21b2_1238, 0x30ff_40ca_4192_2120,
    0x32a4_b539_e8ad_68ed, 0x3447_783f_c56a_c632, 0x35e7_929d_017f_e5b2, 0x3785_0ce8_5b19_ac54,
    0x391f_ef8f_3534_4358, 0x3ab8_42d6_9f77_22b7, 0x3c4e_0edc_55e5_cbd4, 0x3de1_5b97_b8b2_6ca4,
    0x3f72_30da_bc7c_551b, 0x4100_9652_d341_036c, 0x428c_9389_ce43_8d7e, 0x4416_2fe6_b92b_5462,
    0x459d_72ae_ae98_380e, 0x4722_6305_a667_ebef, 0x48a5_07ef_3de5_9689, 0x4a25_684f_7a1a_8d7b,
    0x4ba3_8aeb_8474_c271, 0x4d1f_766a_61f5_5359, 0x4e99_3155_a517_a71d, 0x5010_c21a_1a9f_8ef4,
    0x5186_2f08_717b_09f4, 0x52f9_7e55_dde2_836d, 0x546a_b61c_b7e0_b427, 0x55d9_dc5d_1569_b152,
    0x5746_f6fd_6027_2942, 0x58b2_0bca_e71e_54be, 0x5a1b_207a_6c52_bb11, 0x5b82_3aa8_ae87_8e30,
    0x5ce7_5fda_ef40_1a74, 0x5e4a_957f_751e_89f0, 0x5fab_e0ee_0abf_0d93, 0x610b_4768_7a2c_5d25,
    0x6268_ce1b_0509_6ad7, 0x63c4_7a1c_d98b_1df8, 0x651e_5070_845b_eae9, 0x6676_5604_5f82_2b2f,
    0x67cc_8fb2_fe61_2fcb, 0x6921_0243_96ec_28b0, 0x6a73_b26a_6821_2635, 0x6bc4_a4c9_1de1_ac45,
    0x6d13_ddef_323d_8a33, 0x6e61_625a_4c43_ed66, 0x6fad_3676_9c6d_efde, 0x70f7_5e9f_36b5_35cf,
    0x723f_df1e_6a68_86b1, 0x7386_bc2e_17cf_adee, 0x74cb_f9f8_03af_5587, 0x760f_9c96_28bc_f941,
    0x7751_a813_0712_82fc, 0x7892_2069_f1b0_9873, 0x79d1_0987_5a1e_1f8e, 0x7b0e_6749_1a33_005d,
    0x7c4a_3d7e_bc1b_b2cd, 0x7d84_8fe9_c0a2_b185, 0x7ebd_623d_e3cc_7b67, 0x7ff4_b821_5fd2_6156,
    0x812a_952d_2e87_f635, 0x825e_fced_4936_9330, 0x8391_f2e0_e6fa_0273, 0x84c3_7a7a_b9a9_05c9,
    0x85f3_9721_2954_15b5, 0x8722_4c2e_8e64_5fb7, 0x884f_9cf1_6a64_b7ef, 0x897b_8cac_9f7d_e298,
    0x8aa6_1e97_a6af_4d4c, 0x8bcf_55de_c4cd_05fe, 0x8cf7_35a3_3e4b_7663, 0x8e1d_c0fb_89e1_25e5,
    0x8f42_faf3_8206_81ef, 0x9066_e68c_955b_6c9b, 0x9189_86bd_f5fa_1417, 0x92aa_de74_c7be_59e0,
    0x93ca_f094_4d88_d75c, 0x94e9_bff6_1584_5643, 0x9607_4f6a_2474_5dcc, 0x9723_a1b7_2013_4203,
    0x983e_b99a_7885_f0fe, 0x9958_99c8_90eb_8990, 0x9a71_44ec_e70e_98b7, 0x9b88_bdaa_3a3d_ae2f,
    0x9c9f_069a_b150_cd4e, 0x9db4_224f_ffe1_157c, 0x9ec8_1353_8ab7_d520, 0x9fda_dc26_8b7a_12da,
    0xa0ec_7f42_3395_7323, 0xa1fc_ff17_ce73_3bd4, 0xa30c_5e10_e2f6_13e8, 0xa41a_9e8f_5446_fb9f,
    0xa527_c2ed_81f5_d811, 0xa633_cd7e_6771_cd8b, 0xa73e_c08d_badd_84e6, 0xa848_9e60_0b43_5a5e,
    0xa951_6932_de2d_5774, 0xaa59_233c_cca4_bd49, 0xab5f_cead_9f9c_ca09, 0xac65_6dae_6bcc_4985,
    0xad6a_0261_acf9_67d9, 0xae6d_8ee3_60bb_2468, 0xaf70_1549_20b3_ab87, 0xb071_97a2_3c46_c654,
];

/// `1/9, 1/8, .., 1/2` with 64 fractional bits: the series of `ln(1 + r) / r`, highest degree first.
#[rustfmt::skip]
pub(crate) const LOG1P_SERIES: [u64; 8] = [
    0x1c71_c71c_71c7_1c72, 0x2000_0000_0000_0000, 0x2492_4924_9249_2492, 0x2aaa_aaaa_aaaa_aaab,
    0x3333_3333_3333_3333, 0x4000_0000_0000_0000, 0x5555_5555_5555_5555, 0x8000_0000_0000_0000,
];

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use dashu_float::{FBig, round::mode::HalfEven};
    use dashu_int::UBig;

    type Big = FBig<HalfEven, 2>;

    fn big(value: u64) -> Big {
        Big::from_parts(value.into(), 0).with_precision(200).value()
    }

    fn scaled(value: Big, bits: usize) -> UBig {
        let scaled = value * Big::from_parts(1.into(), bits.try_into().unwrap());
        scaled.round().to_int().value().try_into().unwrap()
    }

    #[test]
    fn every_table_entry_is_the_correctly_rounded_value() {
        for (step, j) in (0u64..128).enumerate() {
            let power = (big(j) / big(128) * big(2).ln()).exp();
            assert_eq!(UBig::from(EXP2_STEPS[step]), scaled(power, 63));
            let logarithm = (big(128 + j) / big(128)).ln();
            assert_eq!(UBig::from(LOGARITHMS[step]), scaled(logarithm, 64));
            let reciprocal = (((UBig::ONE << 71) - 1u8) / UBig::from(128 + j)) + 1u8;
            assert_eq!(UBig::from(RECIPROCALS[step]), reciprocal.min(UBig::from(u64::MAX)));
        }
        for (position, divisor) in (2..=9).rev().enumerate() {
            assert_eq!(UBig::from(LOG1P_SERIES[position]), scaled(big(1) / big(divisor), 64));
        }
    }

    #[test]
    fn the_polynomial_follows_the_power_of_two_between_steps() {
        for sample in 0..=1000 {
            let t = big(sample) / big(1000);
            let sum = EXP2_POLYNOMIAL.iter().fold(big(0), |sum, &coefficient| sum * &t + big(coefficient));
            let want = (&t / big(128) * big(2).ln()).exp() - big(1);
            let error = sum * &t / Big::from_parts(1.into(), 64) - want;
            let limit = Big::from_parts(1.into(), -63);
            assert!(error < limit && error > -limit, "at {sample}/1000");
        }
    }
}
